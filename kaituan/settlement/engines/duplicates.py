"""Whether any of many 64-bit hashes comes twice, in a fraction of the time of sorting or grouping them."""

import numpy as np
from numpy.typing import NDArray

# So many at a time, for the table of a part not to be much larger than a cache.
PART = 2_500_000
# So many at a time, for the slots of a slice to stay in the cache.
STRIDE = 250_000


def has_repeats(hashes: NDArray[np.uint64]) -> bool:
    """True if and only if some value is there more than once.

    Each value claims a slot of a table; the last claim stands. Whoever lost its slot is compared with the
    winner, so equal values meet, and the losers go into the next round among themselves. Large inputs are
    cut by their top bits, which name no slot of the first rounds, so that the table stays small.
    """
    bits = max(0, min(8, (len(hashes) // PART).bit_length()))
    if not bits:
        return _any_meet(hashes)
    part_of = (hashes >> np.uint64(64 - bits)).astype(np.uint8)
    return any(_any_meet(hashes[part_of == part]) for part in range(1 << bits))


def _any_meet(hashes: NDArray[np.uint64]) -> bool:
    bits = max(4, len(hashes).bit_length() + 1)
    winner = np.empty(1 << bits, dtype=np.uint32)
    own = np.arange(len(hashes), dtype=np.uint32)
    shift = 0
    while len(hashes) > 1:
        slices = [slice(start, start + STRIDE) for start in range(0, len(hashes), STRIDE)]
        for part in slices:
            winner[_slots(hashes[part], bits, shift)] = own[: len(hashes)][part]
        losers = []
        for part in slices:
            holder = winner[_slots(hashes[part], bits, shift)]
            lost = np.flatnonzero(holder != own[: len(hashes)][part])
            losing = hashes[part][lost]
            if (losing == hashes[holder[lost]]).any():
                return True
            losers.append(losing)
        hashes = np.concatenate(losers)
        # Other bits next time, or values that share these bits would meet one pair a round.
        shift = (shift + 13) % 32
    return False


def _slots(hashes: NDArray[np.uint64], bits: int, shift: int) -> NDArray[np.int64]:
    # Signed, since numpy would first turn unsigned places into signed ones.
    places: NDArray[np.int64] = (hashes.view(np.int64) >> shift) & ((1 << bits) - 1)
    return places
