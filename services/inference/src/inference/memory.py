"""Gives back the memory that only starting needed: the allocator keeps what imports and the loading of models freed."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return free blocks to the system, where the C library is glibc."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:
        return
