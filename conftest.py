"""pytest names a test's module by its path, and would make `gateway/tests` a part of a module of its own, `gateway`:
importing the three packages that share their folder's name first keeps their names theirs."""

import signal

import gateway  # noqa: F401
import inkmesh  # noqa: F401
import localmesh  # noqa: F401

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs deaf to Ctrl-C, and whatever a test starts would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
