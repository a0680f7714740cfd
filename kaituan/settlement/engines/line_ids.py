"""What is asked of millions of line ids at once, on the bytes of an Arrow array of texts.

Tables are as a rule written in the order of their ids. Where each id follows the one before, none is there
twice, which one look at each pair proves; only other tables need the search of `duplicates.py`.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[Any]
Words = NDArray[np.uint64]

WORD = 8
# The last k bytes of a word, for k = 0..8.
LAST = np.array([(1 << 8 * k) - 1 for k in range(WORD + 1)], dtype=np.uint64)
NOWHERE = np.zeros(1, dtype=np.int64)
# Odd numbers whose products have well mixed top bits: 2**64 divided by the golden ratio, and by the root of 2.
MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xB504F333F9DE6485))


class Texts:
    """An Arrow array of texts without nulls as bytes: text i is data[starts[i]:stops[i]]."""

    def __init__(self, array: Any) -> None:
        width: Any = np.int64 if str(array.type) == "large_string" else np.int32
        _, offsets, data = array.buffers()
        count = len(array)
        bounds: Places = NOWHERE
        self.data = np.empty(0, np.uint8)
        if count:
            bounds = np.frombuffer(offsets, width)[array.offset : array.offset + count + 1]
            # The array may be a part of a longer one, whose other bytes are of no interest.
            self.data = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]] if data else self.data
            bounds = bounds - bounds[0]
        self.starts, self.stops = bounds[:-1], bounds[1:]
        self.lengths: Places = self.stops - self.starts

    @cached_property
    def _windows(self) -> Words:
        """The 8 bytes before each place; room before the first text makes them 8 everywhere."""
        padded = np.concatenate([np.zeros(WORD, np.uint8), self.data])
        return np.ndarray((len(self.data) + 1,), "<u8", padded, 0, (1,))

    def words(self, stops: Places) -> Words:
        """The bytes before `stops`, 8 at most and none before the text, as numbers that sort like the bytes."""
        numbers = self._windows[stops].byteswap(inplace=True)
        if len(self.lengths) and int(self.lengths.min()) < WORD:
            numbers &= LAST.take(np.minimum(stops - self.starts, WORD))
        return numbers

    def tails(self) -> Words:
        """The last 8 bytes of each text, which tell most ids apart."""
        return self.words(self.stops)

    def ascend(self, tails: Words) -> bool:
        """Whether each text is longer than the one before, or as long and after it by its bytes."""
        if (self.lengths[1:] < self.lengths[:-1]).any():
            return False
        open_pairs = self.lengths[1:] == self.lengths[:-1]
        longest = int(self.lengths.max()) if len(self.lengths) else 0
        for reach in range(WORD, longest + WORD, WORD):
            words = tails if longest <= WORD else self.words(np.minimum(self.starts + reach, self.stops))
            if (open_pairs & (words[1:] < words[:-1])).any():
                return False
            open_pairs &= words[1:] == words[:-1]
            if not open_pairs.any():
                return True
        return not open_pairs.any()


class Sieve:
    """Lets through every text of a few, and few others: two marks for each of their tails, in different places."""

    def __init__(self, few: Texts) -> None:
        tails = few.tails()
        self._shift = np.uint64(64 - max(10, len(tails).bit_length() + 4))
        self._marked = [np.zeros(1 << (64 - int(self._shift)), dtype=bool) for _ in MIXERS]
        for marked, mixer in zip(self._marked, MIXERS, strict=True):
            marked[self._slots(tails, mixer)] = True

    def let_through(self, tails: Words) -> Places:
        """The places of texts that may be among the few."""
        places = np.flatnonzero(self._marked[0].take(self._slots(tails, MIXERS[0])))
        still = self._marked[1].take(self._slots(tails.take(places), MIXERS[1]))
        return places.compress(still)

    def _slots(self, tails: Words, mixer: np.uint64) -> Places:
        # Signed, since numpy would first turn unsigned places into signed ones.
        return ((tails * mixer) >> self._shift).view(np.int64)
