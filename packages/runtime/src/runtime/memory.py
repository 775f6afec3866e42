"""Gives back the memory that only starting needed.

What imports freed stays with the allocator, and the pages of shared libraries that ran once (to register operators, to
initialise modules) stay resident until the system is short of memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
import re
from collections.abc import Iterable
from pathlib import Path

_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(/.*)?")
_SMAPS = Path("/proc/self/smaps")


def give_back() -> None:
    """Return free blocks to the system, and unmap files' pages: what is used again comes back from the page cache.

    Does what the platform lets it do: blocks where the C library is glibc, pages where there is /proc.
    """
    gc.collect()
    library = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):
        library.malloc_trim(0)
    if not _SMAPS.exists():
        return
    for start, end in unchanged(_SMAPS.read_text().splitlines()):
        library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def unchanged(smaps: Iterable[str]) -> list[tuple[int, int]]:
    """Start and end of each mapping of /proc/PID/smaps that holds nothing but what stands in its file.

    Only those: of a mapping that was written to, however long ago (relocations), the changes would be lost.
    """
    found = []
    where = None
    for line in smaps:
        if mapping := _MAPPING.match(line):
            start, end, rights, file = mapping.groups()
            where = (int(start, 16), int(end, 16)) if file and "w" not in rights else None
        elif where and line.startswith("Anonymous:") and line.split()[1] == "0":
            found.append(where)
    return found
