"""Whether any of many 64-bit hashes comes twice, in a fraction of the time of sorting or grouping them."""

import numpy as np
from numpy.typing import NDArray

PART = 16_000_000


def has_repeats(hashes: NDArray[np.uint64]) -> bool:
    """True if and only if some value is there more than once.

    Each value claims a slot of a table; the last claim stands. Whoever lost its slot is compared with the
    winner, so equal values meet, and the losers go into the next round among themselves. Large inputs are
    cut by their top bits, so that the table stays small.
    """
    parts = -(-len(hashes) // PART)
    if parts <= 1:
        return _any_meet(hashes)
    part_of = hashes % np.uint64(parts)
    return any(_any_meet(hashes[part_of == np.uint64(part)]) for part in range(parts))


def _any_meet(hashes: NDArray[np.uint64]) -> bool:
    bits = max(4, len(hashes).bit_length() + 1)
    winner = np.empty(1 << bits, dtype=np.uint32)
    own = np.arange(len(hashes), dtype=np.uint32)
    shift = 0
    while len(hashes) > 1:
        slot = hashes.view(np.int64) >> shift if shift else hashes.view(np.int64)
        slot = slot & ((1 << bits) - 1)
        claims = own[: len(hashes)]
        winner[slot] = claims
        holder = winner[slot]
        lost = np.flatnonzero(holder != claims)
        losers = hashes[lost]
        if (losers == hashes[holder[lost]]).any():
            return True
        hashes = losers
        # Other bits next time, or values that share these bits would meet one pair a round.
        shift = (shift + 13) % 32
    return False
