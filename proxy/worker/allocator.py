"""Memory that a worker frees: the C library keeps some of it.

A large answer passes in pieces of 250 KB. glibc gives the memory of each back to the kernel when it is
freed, and has the next one's faulted in anew, page by page: 40 % of the CPU time of a large answer (592 us a
MiB, and 348 with this). So it keeps a few such pieces.
"""

import ctypes

KEPT = 4 * 1024 * 1024
"""Bytes at the top of the heap that stay there, and the size from which a piece is none of the heap's."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""mallopt(3)."""


def keep_what_is_freed() -> None:
    """Keep freed memory for the next piece of an answer. Does nothing with other C libraries than glibc."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "gnu_get_libc_version"):
        library.mallopt(_TRIM_THRESHOLD, KEPT)
        library.mallopt(_MMAP_THRESHOLD, KEPT)
