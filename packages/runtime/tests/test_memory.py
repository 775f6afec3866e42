"""What only starting needed is given back."""

import ctypes.util
import sys
from pathlib import Path

import pytest

from runtime import memory

SMAPS = """\
7f00000000-7f00001000 r-xp 00000000 fe:00 12 /usr/lib/libfine.so
Rss:                   4 kB
Anonymous:             0 kB
7f00001000-7f00002000 r--p 00001000 fe:00 12 /usr/lib/librelocated.so
Rss:                   4 kB
Anonymous:             4 kB
7f00002000-7f00003000 rw-p 00002000 fe:00 12 /usr/lib/libdata.so
Anonymous:             0 kB
7f00003000-7f00004000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f00004000-7f00005000 r--s 00000000 fe:00 13 /a file.with spaces
Anonymous:             0 kB
7f00005000-7f00006000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
"""


def test_only_what_a_file_still_holds_is_unmapped():
    """Written pages, anonymous memory and the kernel's own mappings stay."""
    assert memory.unchanged(SMAPS.splitlines()) == [(0x7F00000000, 0x7F00001000), (0x7F00004000, 0x7F00005000)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems keep no such account")
def test_what_is_resident_becomes_less_and_all_goes_on():
    """A library that was only loaded is no longer resident; it works as before."""
    library = ctypes.CDLL(ctypes.util.find_library("crypto"))
    resident = [_file_backed()]
    memory.give_back()
    resident.append(_file_backed())
    assert resident[1] < resident[0]
    library.OpenSSL_version.restype = ctypes.c_char_p
    assert b"SSL" in library.OpenSSL_version(0)


def _file_backed() -> int:
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
    return int(line.split()[1])
