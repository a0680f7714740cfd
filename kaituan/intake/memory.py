"""How a serving process keeps small: what loading leaves behind, and what large pages need only while they are made."""

import ctypes
import gc

GC_THRESHOLDS = (10_000, 5, 5)
"""An order leaves no cycles, a page of Django's leaves some: they are looked for when so many objects stay."""
LARGE_BLOCK = 256 * 1024
HEAPS = 2
# As malloc.h names them.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8

_library = ctypes.CDLL(None)
IS_GLIBC = hasattr(_library, "malloc_trim") and hasattr(_library, "mallopt")
"""Other C libraries have nothing to ask for, and are left alone."""


def settle() -> None:
    """Once everything is loaded, before the workers are forked: what is shared with them stays shared."""
    gc.collect()
    # Their collector does not write into what is frozen.
    gc.freeze()
    # A full collection waits until a quarter of what the last one left has come together. Nothing frozen counts,
    # but only a collection after the freeze says so: without it cycles of tens of megabytes would wait.
    gc.collect()
    gc.set_threshold(*GC_THRESHOLDS)
    give_back()
    if IS_GLIBC:
        # By itself it moves this bound up to the largest block that was ever freed, and keeps such blocks.
        _library.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        # It would keep a heap for every thread.
        _library.mallopt(M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Return to the system what is free in the middle of the heaps; it takes some milliseconds at most."""
    if IS_GLIBC:
        _library.malloc_trim(0)
