# SPDX-License-Identifier: MIT
"""ranks.py - the exact test of Mann and Whitney; used through stats.py.

Under the hypothesis that both samples come from one distribution every choice of which values are "mine" is
equally likely. So we count the choices by their sum of ranks (Mann & Whitney 1947; with ties by midranks, which
doubled are whole numbers), and need no table and no normal approximation:

    ways[k][s]  of the values seen so far, how many choices of k of them have the doubled sum of ranks s
"""
from __future__ import annotations

import numpy as np

LEAST_SAMPLE = 8        # below it, not even the most extreme order survives a correction for many comparisons


def mann_whitney(mine: list[float], theirs: list[float]) -> float:
    """Two-sided p that the two samples come from one distribution; nan where either has fewer than eight values."""
    few, many = sorted((mine, theirs), key=len)
    if len(few) < LEAST_SAMPLE:
        return float("nan")
    ranks = doubled_midranks([*few, *many])
    ways = _ways(ranks, len(few))
    total, found = ways.sum(), int(ranks[:len(few)].sum())
    return float(min(1.0, 2 * min(ways[:found + 1].sum(), ways[found:].sum()) / total))


def doubled_midranks(values: list[float]) -> np.ndarray:
    """Twice the rank of each value, equal values sharing the middle of theirs."""
    array = np.asarray(values, dtype=float)
    below = (array[None, :] < array[:, None]).sum(axis=1)
    same = (array[None, :] == array[:, None]).sum(axis=1)
    return 2 * below + same + 1


def _ways(ranks: np.ndarray, chosen: int) -> np.ndarray:
    """By doubled sum of ranks: how many ways there are to choose so many of the values."""
    ways = np.zeros((chosen + 1, int(ranks.sum()) + 1))     # floating point: the counts outgrow 64 bits at 34 of 68
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, :-rank].copy()
    return ways[chosen]
