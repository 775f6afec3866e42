"""pytest names a test's module by its path, and would make `gateway/tests` a part of a module of its own, `gateway`:
importing the three packages that share their folder's name first keeps their names theirs."""

import gateway  # noqa: F401
import inkmesh  # noqa: F401
import localmesh  # noqa: F401
