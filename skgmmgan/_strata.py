"""Levels within which rows are drawn again, so that those which often break a rule come as often as before."""

from typing import NamedTuple

import numpy as np

MIN_BROKEN = 0.002  # share of the drawn rows, of which it matters where they lie
MIN_GAIN = 0.002  # nats by which rows are more likely
MAX_COLUMNS = 3
MAX_LEVELS = 100  # of them together
PSEUDO_COUNT = 10  # rows, of which as many are kept as of all


class Strata(NamedTuple):
    """Columns, what their levels are together, and the log-share of the rows of each that are kept.

    Where p(c) is the probability of such levels and w(c) that share, rows that are drawn again within them have the
    density p(x) / w(c): a normalised one, in which levels keep their probability.
    """

    columns: list
    sizes: list  # how many levels each column has, those that are absent left out
    keys: np.ndarray  # in ascending order
    log_within: np.ndarray  # (n_keys + 1,), the last of all rows

    def of(self, levels, n):
        """Index of the levels that n rows have together, (n,), the last of those that are not there.

        Parameters
        ----------
        levels : dict from the index of a column to the codes of the rows, (n,)
        """
        own = np.zeros(n, dtype=int)
        for j, size in zip(self.columns, self.sizes):
            own = _together(own, levels[j], size)
        where = np.searchsorted(self.keys, own).clip(0, len(self.keys) - 1)
        return np.where(self.keys[where] == own, where, len(self.keys))


def find_strata(levels, sizes, are_kept):
    """The Strata in which drawn rows are kept unlike often, chosen greedily by the likelihood that they gain.

    Parameters
    ----------
    levels : dict from the index of a column to the codes of the drawn rows, (n,)
    sizes : dict from the index of a column to how many levels it has
    are_kept : mask of the rows, (n,)
    """
    n, share = len(are_kept), max(are_kept.mean(), 1 / len(are_kept))
    columns, best, own = [], 0.0, np.zeros(n, dtype=int)
    while len(columns) < MAX_COLUMNS and share < 1 - MIN_BROKEN:
        gains = {}
        for j in (j for j, size in sizes.items() if j not in columns and size < MAX_LEVELS):
            counts, kept = _counts(_together(own, levels[j], sizes[j]), are_kept)
            if 1 < len(counts) <= MAX_LEVELS:
                noise = (len(counts) - 1) * (1 - share) / (share * n)
                gains[j] = np.log(share) - counts / n @ _log_shares(counts, kept, share) - noise
        j = max(gains, key=gains.get, default=None)
        if j is None or gains[j] < best + MIN_GAIN:
            break
        columns, best, own = [*columns, j], gains[j], _together(own, levels[j], sizes[j])
    log_shares = _log_shares(*_counts(own, are_kept), share)
    return Strata(columns, [sizes[j] for j in columns], np.unique(own), np.append(log_shares, np.log(share)))


def _together(own, codes, size):
    """Codes of what rows have with one of so many levels more, or with none of them."""
    return own * (size + 1) + codes + 1


def _counts(own, are_kept):
    """Rows of each of different codes, and how many of them are kept."""
    _, where = np.unique(own, return_inverse=True)
    return np.bincount(where), np.bincount(where, are_kept)


def _log_shares(counts, kept, share):
    return np.log((kept + PSEUDO_COUNT * share) / (counts + PSEUDO_COUNT))


ALL_ROWS = find_strata({}, {}, np.ones(1))  # the one of a model that draws no row again


def pairs_of(wanted, offered):
    """Positions of codes that are wanted, and of as many others that offer the same, each one once."""
    numbered = [codes * (len(wanted) + len(offered)) + _nth(codes) for codes in (wanted, offered)]
    return np.intersect1d(*numbered, assume_unique=True, return_indices=True)[1:]


def _nth(codes):
    """How many of the codes before each one are the same, (n,)."""
    order = np.argsort(codes, kind="stable")
    nth = np.empty(len(codes), dtype=int)
    nth[order] = np.arange(len(codes)) - np.searchsorted(codes[order], codes[order])
    return nth
