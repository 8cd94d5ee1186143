# SPDX-License-Identifier: MIT
"""stats.py - the only module that knows statistics.

The sample is the invocation, never the iteration: iterations of one process share its layout, and pooling
them finds "differences" between identical programs in one comparison of three. So:

    inside an invocation    sum of time / sum of operations over the valid rounds. A median over rounds
                            would delete full collections, which are rare, long, and part of the price.
    across invocations      the median.
    interval                a hierarchical bootstrap (Davison & Hinkley 1997, section 3.8): draw invocations
                            with replacement, then rounds within each drawn invocation.
    ratio to a baseline     the median over repetitions of the ratio within a repetition, because both sides
                            met the same weather there; the bootstrap draws the same repetitions, and under
                            turns the same rounds, for both.

    is it chance?           where nothing pairs two samples of eight or more: Mann and Whitney's exact test
                            (ranks.py). With fewer its least chance is too large for many comparisons, and the
                            bootstrap's is too small (of 60 equal rows of five invocations one stood out in every third
                            comparison): Student's t of the logarithms, Welch's where nothing pairs. Of several
                            comparisons at once: Holm's correction, over all that were made, not those that stand out.
    how many invocations?   until the interval is as narrow as was asked for, twice in a row, or a hard cap.

A percentile interval from n invocations is too narrow when n is small, by sqrt((n-1)/n) and by z in place of
t (Hesterberg, The American Statistician 69(4), 2015, section 3.2). Up to four invocations the interval is
widened by that. The bootstrap of a median steps from one order statistic to the next: with five invocations its
plain percentiles reach the extremes and hold the truth in 94 %, with seven they do not and hold it in 86 %, with
thirteen in 90 %. From six on we leave out less on either side: so much that any number of invocations holds it
in 93 % or more (tests/test_stats.py simulates it).
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ranks import mann_whitney

DRAWS = 4000
LEVEL = 0.95
OUTSIDE = 0.009         # the share of draws left out on either side, of more than five invocations
FEWEST = 5              # invocations, before precision may end a measurement
# t(0.975, n-1) / z(0.975) * sqrt(n / (n-1)) for n = 2, 3, 4
_WIDER = {2: 12.706 / 1.960 * 2 ** 0.5, 3: 4.303 / 1.960 * 1.5 ** 0.5, 4: 3.182 / 1.960 * (4 / 3) ** 0.5}


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; low and high are nan where there is only one invocation."""
    value: float
    low: float
    high: float
    p_one: float = float("nan")     # of a ratio: the chance of one so far from 1, were it 1
    draws: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def precision(self) -> float:
        """Half-width over value."""
        return self.half_width / self.value if self.value else float("inf")

    def holds(self, value: float) -> bool:
        return bool(self.low <= value <= self.high)

    def p_of(self, value: float) -> float:
        """How often the bootstrap is at least as far on the other side of this value; nan without an interval."""
        return float("nan") if self.draws is None else _p_of(self.draws, value)


# repetition -> round -> (nanoseconds, operations)
Rounds = dict[int, dict[int, tuple[float, float]]]


def per_operation(rounds: dict[int, tuple[float, float]]) -> float:
    """The estimator inside an invocation."""
    time, operations = (sum(column) for column in zip(*rounds.values()))
    return time / operations


def single(values: dict[int, float]) -> Rounds:
    """One number an invocation (bytes, a pause, a count), as a sample of one round each."""
    return {repetition: {0: (value, 1.0)} for repetition, value in values.items()}


def median_of(sample: Rounds, seed: int = 1) -> Estimate | None:
    """Nanoseconds an operation: median over invocations, hierarchical bootstrap interval."""
    repetitions = [r for r in sorted(sample) if sample[r]]
    if not repetitions:
        return None
    value = float(np.median([per_operation(sample[r]) for r in repetitions]))
    cubes = [np.array(list(sample[r].values()), dtype=float) for r in repetitions]
    draw = np.random.default_rng(seed)
    drawn = np.column_stack([_draw_rounds(c, draw) for c in cubes])
    return _interval(value, _draw_medians(drawn, draw), len(repetitions))


def ratio_of(sample: Rounds, baseline: Rounds, paired_rounds: bool, seed: int = 1) -> Estimate | None:
    """sample / baseline. paired_rounds: round i of both was measured side by side (turns)."""
    common = [r for r in sorted(sample) if sample[r] and baseline.get(r)]
    draw = np.random.default_rng(seed)
    values, columns = [], []
    for repetition in common:
        mine, theirs = sample[repetition], baseline[repetition]
        if paired_rounds:
            both = sorted(mine.keys() & theirs.keys())
            if not both:
                continue
            mine, theirs = {i: mine[i] for i in both}, {i: theirs[i] for i in both}
        values.append(per_operation(mine) / per_operation(theirs))
        left, right = (np.array(list(s.values()), dtype=float) for s in (mine, theirs))
        picks = draw.integers(0, len(left), (DRAWS, len(left)))
        columns.append(_draw_rounds(left, draw, picks) /
                       _draw_rounds(right, draw, picks if paired_rounds else None))
    if not values:
        return None
    return replace(_interval(float(np.median(values)), _draw_medians(np.column_stack(columns), draw), len(values)),
                   p_one=_chance(np.log(values)))


def combination_of(terms: list[tuple[float, Rounds]], paired_rounds: bool, seed: int = 1) -> Estimate | None:
    """A weighted sum of nanoseconds an operation (a difference: weights 1 and -1), within each repetition that all have.

    Drawn as ratio_of does: the same repetitions for all, and under turns the same rounds. None without a repetition.
    """
    draw = np.random.default_rng(seed)
    values, columns = [], []
    for repetition in sorted(set.intersection(*(set(s) for _, s in terms))):
        sides = [s[repetition] for _, s in terms]
        if paired_rounds:
            common = sorted(set.intersection(*(set(s) for s in sides)))
            sides = [{i: s[i] for i in common} for s in sides]
        if not all(sides):
            continue
        picks = draw.integers(0, len(sides[0]), (DRAWS, len(sides[0]))) if paired_rounds else None
        values.append(sum(weight * per_operation(s) for (weight, _), s in zip(terms, sides)))
        columns.append(sum(weight * _draw_rounds(np.array(list(s.values()), dtype=float), draw, picks)
                           for (weight, _), s in zip(terms, sides)))
    if not values:
        return None
    return _interval(float(np.median(values)), _draw_medians(np.column_stack(columns), draw), len(values))


def ratio_of_medians(sample: Rounds, baseline: Rounds, seed: int = 1) -> Estimate | None:
    """sample / baseline where nothing pairs the two: two runs. Each side is drawn for itself."""
    sides = [[np.array(list(s[r].values()), dtype=float) for r in sorted(s) if s[r]] for s in (sample, baseline)]
    if not all(sides):
        return None
    draw = np.random.default_rng(seed)
    values = [float(np.median([c[:, 0].sum() / c[:, 1].sum() for c in side])) for side in sides]
    draws = [_draw_medians(np.column_stack([_draw_rounds(c, draw) for c in side]), draw) for side in sides]
    found = _interval(values[0] / values[1], draws[0] / draws[1], min(len(s) for s in sides))
    means = [[c[:, 0].sum() / c[:, 1].sum() for c in side] for side in sides]
    exact = mann_whitney(*means)
    return replace(found, p_one=_chance(*(np.log(m) for m in means)) if exact != exact else exact)


def exponent_of(samples: dict[int, Rounds]) -> Estimate | None:
    """b, where the time of n operations grows as n to the b: least squares of log time against log n, through the
    medians of three sizes or more. The interval is of the measuring (each size is drawn for itself), not of the
    question whether a power is the right curve."""
    times = {size: found for size, sample in sorted(samples.items()) if (found := median_of(sample, seed=size))}
    if len(times) < 3:
        return None
    n = np.log(np.array(list(times), dtype=float))
    weights = (n - n.mean()) / np.square(n - n.mean()).sum()
    value = 1 + float(weights @ np.log([t.value for t in times.values()]))
    if any(t.draws is None for t in times.values()):
        return Estimate(value, float("nan"), float("nan"))
    draws = 1 + weights @ np.log(np.array([t.draws for t in times.values()]))
    outside = _outside(min(sum(bool(rounds) for rounds in samples[size].values()) for size in times))
    low, high = np.quantile(draws, [outside, 1 - outside])
    return Estimate(value, float(min(low, value)), float(max(high, value)), draws=draws)


def _draw_rounds(rounds: np.ndarray, draw: np.random.Generator, picks: np.ndarray | None = None) -> np.ndarray:
    """DRAWS times: nanoseconds an operation of this invocation, were its rounds drawn again."""
    if picks is None:
        picks = draw.integers(0, len(rounds), (DRAWS, len(rounds)))
    sums = rounds[picks].sum(axis=1)
    return sums[:, 0] / sums[:, 1]


def _draw_medians(drawn: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """drawn[i, j]: invocation j at draw i. Draw invocations, then take the median of each draw."""
    picks = draw.integers(0, drawn.shape[1], drawn.shape)
    return np.median(np.take_along_axis(drawn, picks, axis=1), axis=1)


def _interval(value: float, draws: np.ndarray, invocations: int) -> Estimate:
    if invocations < 2:
        return Estimate(value, float("nan"), float("nan"))
    wider = _WIDER.get(invocations, 1.0)
    if min(value, draws.min()) > 0:
        draws = value * (draws / value) ** wider            # in logarithms: no time becomes negative
    else:
        draws = value + (draws - value) * wider             # growth may be nothing, or less
    outside = _outside(invocations)
    low, high = np.quantile(draws, [outside, 1 - outside])
    return Estimate(value, float(min(low, value)), float(max(high, value)), draws=draws)


def _outside(invocations: int) -> float:
    """The share of draws to leave out on either side."""
    return OUTSIDE if invocations > FEWEST else (1 - LEVEL) / 2


def _chance(logs: np.ndarray, others: np.ndarray | None = None) -> float:
    """Of a mean so far from nothing, or from the others' (Welch 1947), were there no difference; nan of single values.
    Degrees of freedom are rounded down."""
    sides = [logs] if others is None else [logs, others]
    if min(map(len, sides)) < 2:
        return float("nan")
    apart = abs(float(np.mean(logs) - (0 if others is None else np.mean(others))))
    errors = [float(np.var(s, ddof=1)) / len(s) for s in sides]
    if not sum(errors):
        return float(apart == 0)
    freedom = sum(errors) ** 2 / sum(e ** 2 / (len(s) - 1) for e, s in zip(errors, sides))
    return student_tail(apart / sum(errors) ** 0.5, max(1, int(freedom + 1e-9)))


def student_tail(t: float, freedom: int) -> float:
    """The chance of a value beyond t, on either side, of Student's t with so many whole degrees of freedom.

    The sums of Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4; right to 1e-12.
    """
    angle = np.arctan(t / freedom ** 0.5)
    sine, cosine = float(np.sin(angle)), float(np.cos(angle))
    odd = freedom % 2
    term, within = (cosine if odd else 1.0), 0.0
    for k in range(1 + odd, freedom, 2):
        within += term
        term *= cosine ** 2 * k / (k + 1)
    inside = 2 / np.pi * (angle + sine * within) if odd else sine * within
    return max(0.0, 1.0 - float(inside))


def _p_of(draws: np.ndarray, value: float) -> float:
    smaller = (np.count_nonzero(draws <= value) + 1) / (len(draws) + 1)
    larger = (np.count_nonzero(draws >= value) + 1) / (len(draws) + 1)
    return min(1.0, 2 * min(smaller, larger))


# --- when to stop ------------------------------------------------------------------------------------

def precise(estimates: list[Estimate | None], wanted: float) -> bool:
    """Is every interval at most so wide, half-width over value? What cannot be estimated does not keep us."""
    return all(e.precision <= wanted for e in estimates if e is not None)


def enough(now: list[Estimate | None], before: list[Estimate | None], wanted: float) -> bool:
    """Stop measuring? now, before: the estimates with and without the last invocation, of FEWEST at least.

    An interval that is looked at again and again is at some time narrow by luck; twice in a row it seldom is.
    """
    return precise(now, wanted) and precise(before, wanted)


# --- judging ---------------------------------------------------------------------------------------

def noise_floor(pair: Estimate | None) -> float:
    """The smallest relative effect that a group can show: what its A/A pair shows, which is nothing."""
    if pair is None or pair.half_width != pair.half_width:
        return float("nan")
    return max(pair.half_width, abs(pair.value - 1))


def holm(p_values: list[float], level: float = 1 - LEVEL) -> list[bool]:
    """Which of several tests fail when they are judged together (Holm 1979). nan never fails."""
    fails = [False] * len(p_values)
    order = sorted((i for i, p in enumerate(p_values) if p == p), key=lambda i: p_values[i])
    for rank, i in enumerate(order):
        if p_values[i] > level / (len(order) - rank):
            break
        fails[i] = True
    return fails


def effect(ratio: float) -> float:
    """How far a ratio is from 1, the same for a half and for a double."""
    return max(ratio, 1 / ratio) - 1


def verdict(ratio: Estimate, floor: float) -> str:
    """In words. Slower and faster are only said of what is over the noise floor and outside the interval."""
    if ratio.low != ratio.low or floor != floor:
        return "one invocation: no interval"
    if effect(ratio.value) <= floor:
        return "no difference"
    if ratio.holds(1.0):
        return "unclear"
    return f"{ratio.value:.2f}x slower" if ratio.value > 1 else f"{1 / ratio.value:.2f}x faster"


def reaches(found: Estimate, factor: float, at_most: bool) -> str:
    """Is all of the interval on the right side of a factor? Without an interval nobody knows."""
    best, worst = (found.low, found.high) if at_most else (-found.high, -found.low)
    bound = factor if at_most else -factor
    return "met" if worst <= bound else "missed" if best > bound else "not sure"


def middle(values: list[float]) -> float:
    """The median, where there is no interval to give."""
    return float(np.median(values))
