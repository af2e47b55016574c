"""One column <-> its units: levels, states and normal scores.

A column of categories, or of few different numbers, becomes a discrete unit; one of numbers a continuous unit, after a
discrete *state* unit {continuous, atom 1, ..., missing} if it has atoms or missing cells. Then the continuous unit is
active in state "continuous" only. Every unit has a real coordinate: a smooth monotone transform of the number, or the
normal score of the level's mid-rank.
"""

from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from ._clocks import RhythmicSpline, find_rhythm
from ._numbers import (
    ROWS_PER_NUMBER,
    Decimals,
    error_of,
    grid_step,
    nearest_within,
    round_to_grid,
    split_numbers,
)
from ._table import UNSEEN
from ._transforms import Cells, fit_normal_scores

MAX_NUMBERS = 32  # distinct numbers that a column may have and still be one discrete unit
MAX_LEVELS = 254  # levels of a discrete unit; rarer categories share the last one
BESIDE = 1e-3  # part of a rounding step by which a number may miss it and still be meant
ACTIVE = 0  # the code of state "continuous", and of an active continuous unit
ABSENT = -1  # the code of an unseen level, and of an inactive continuous unit


@dataclass(frozen=True)
class Told:
    """The level of a unit that a number tells by the piece of its coordinate, or the state that it is in."""

    units: list  # of the number: the last is continuous, and before it may come its states
    edges: np.ndarray  # between pieces
    levels: np.ndarray  # of each piece, one more
    by_state: np.ndarray  # of each state


class Companions(NamedTuple):
    """Which levels of a unit go with those of one or two earlier ones, whose indices are `others`."""

    others: tuple
    goes: np.ndarray  # (their levels + 1 each, n_levels): the last ones are unseen, and go with all
    is_hidden: bool = False  # whether gaps hide it


@dataclass(frozen=True)
class Unit:
    """One factor of a row's density: discrete with the observed shares of its levels, or continuous without any."""

    shares: np.ndarray = field(default_factory=lambda: np.empty(0))
    parent: int = -1  # index of the state unit that switches a continuous unit on; -1: always on
    allowed: tuple = ()  # of Companions
    told: Told | None = None
    gap: int = ABSENT  # the level of missing cells

    @property
    def n_levels(self):
        return len(self.shares)

    @property
    def bounds(self):
        """Cumulative shares before, between and after the levels, (n_levels + 1,)."""
        return np.concatenate([[0.0], np.cumsum(self.shares)[:-1], [1.0]])

    @property
    def midpoints(self):
        """Coordinates of the levels: normal scores of their mid-ranks, (n_levels,)."""
        return ndtri(self.bounds[:-1] + self.shares / 2)


class Levels:
    """Numbers or codes <-> levels of a discrete unit.

    Parameters
    ----------
    values : distinct values in ascending order, NaN last
    counts : rows that hold each of them
    order : the values' positions by rank; those beyond `max_levels` share the last level
    """

    def __init__(self, values, counts, order, max_levels=MAX_LEVELS):
        self.values = values
        self.by_rank = order
        self.max_levels = max_levels
        self.code = np.empty(len(values), dtype=np.int64)
        self.code[order] = np.minimum(np.arange(len(values)), max_levels - 1)
        shares = counts / counts.sum()
        gap = int(self.code[-1]) if np.isnan(values[-1]) else ABSENT
        self.unit = Unit(np.bincount(self.code, weights=shares), gap=gap)
        self.log_within = np.log(shares / self.unit.shares[self.code])

    def encode(self, x):
        """Level of each value, ABSENT for one not seen, and its log-share inside a shared level."""
        where = np.minimum(np.searchsorted(self.values, x), len(self.values) - 1)
        found = self.values[where]
        seen = (found == x) | (np.isnan(found) & np.isnan(x))
        return np.where(seen, self.code[where], ABSENT), np.where(seen, self.log_within[where], 0.0)

    def decode(self, codes, rng):
        """Value of each level; one of several that share a level is drawn by its share."""
        where = self.by_rank[codes]
        shared = np.flatnonzero(codes == self.max_levels - 1)
        if len(shared) and len(self.values) > self.max_levels:
            members = self.by_rank[self.max_levels - 1 :]
            share = np.exp(self.log_within[members])
            where[shared] = rng.choice(members, len(shared), p=share / share.sum())
        return self.values[where]

    def coordinates(self, codes):
        """Coordinate of each level, 0 for an unseen one."""
        return np.where(codes == ABSENT, 0.0, self.unit.midpoints[codes])


class DiscreteColumn:
    """A column of categories, or of few different numbers: one discrete unit.

    Parameters
    ----------
    x : (n,) numbers or codes
    scores : of each code and, last, of missing cells, to order the levels by; None if they have an order
    """

    def __init__(self, x, scores=None):
        values, counts = np.unique(x, return_counts=True)
        by_count = np.argsort(np.where(np.isnan(values), -np.inf, -counts), kind="stable")  # gaps never share a level
        is_rare = np.zeros(len(values), dtype=bool)
        is_rare[by_count[MAX_LEVELS - 1 :]] = len(values) > MAX_LEVELS
        by = values if scores is None else scores[np.where(np.isnan(values), -1, values).astype(int)]
        self.levels = Levels(values, counts, np.lexsort([by, is_rare]))
        present = values[~np.isnan(values)]
        self.low, self.high, self.step = (
            (*present[[0, -1]], grid_step(present)) if len(present) else (np.nan, np.nan, 0.0)
        )

    def units(self, start):
        """The units of this column, the first of which has index `start`."""
        return [self.levels.unit]

    def encode(self, x, rng):
        codes, log_within = self.levels.encode(x)
        return self.levels.coordinates(codes)[:, None], codes[:, None], log_within

    def decode(self, z, codes, rng):
        return self.levels.decode(codes[:, 0], rng)

    def as_given(self, x, enforce_bounds, enforce_decimals):
        return x

    def allows(self, x, enforce_bounds):
        """Mask of the values that may be asked for."""
        return self.levels.encode(x)[0] != ABSENT

    def beside(self, x):
        """The two numbers of the grid that each number lies between, (2, n); NaN on it, or where there is none."""
        return np.full((2, len(x)), np.nan)

    def choices(self):
        """Values that may be asked for, NaN for a missing cell, and whether those between the first two may be."""
        return self.levels.values, False

    def snapped(self, x, enforce_decimals):
        """Numbers, those that miss one of the column by float error on it."""
        return nearest_within(self.levels.values, x, x, error_of(self))

    def on_level(self, codes):
        """Mask of the numbers that have a probability and no density."""
        return np.ones(len(codes), dtype=bool)

    def log_cell(self, codes):
        """Log-size of the cell of each number, by which a density becomes a probability, as that of a level is."""
        return np.zeros(len(codes))

    def features(self, x):
        """What a discriminator reads: finite numbers, at most MAX_LEVELS + 1 different ones."""
        codes, _ = self.levels.encode(x)
        return codes + 1.0


class LabelColumn(DiscreteColumn):
    """The column of class labels: a level for each class."""

    def __init__(self, labels):
        values, counts = np.unique(labels[labels != UNSEEN], return_counts=True)
        by_count = np.argsort(-counts, kind="stable")
        self.levels = Levels(values, counts, by_count, max_levels=len(values))

    def features(self, x):
        return np.minimum(super().features(x), MAX_LEVELS)


class NumericColumn:
    """A column of numbers: a continuous unit, after a state unit if it has atoms or missing values.

    Parameters
    ----------
    x : (n,) numbers
    n_knots : knots of the transform
    rng : RandomState, for the noise inside rounding steps
    step : the rounding step, if it is known and not 0
    clock : Clock of numbers that are times
    """

    def __init__(self, x, n_knots, rng, step=0.0, clock=None):
        present = x[~np.isnan(x)]
        values, counts = np.unique(present, return_counts=True)
        self.low, self.high = values[0], values[-1]
        self.step = step or grid_step(values)
        atoms, by_ranks = split_numbers(values, counts, self.step)
        smooth = present[~np.isin(present, values[atoms])]
        if not len(smooth):  # every number is an atom: the last one stays continuous
            atoms[-1], smooth = False, present[present == values[-1]]
        self.levels = self._states(values[atoms], counts[atoms], len(smooth), len(x) - len(present))
        if by_ranks and (~atoms).sum() > 1:
            self.grid = self.transform = Cells(values[~atoms], counts[~atoms])
        else:
            self.grid = Decimals.of(values, self.step)
            self.rhythm = find_rhythm(smooth, clock, self.step) if clock else None
            self.transform = self._fitted(smooth, n_knots, rng)

    def with_knots(self, n_knots, x, rng):
        """The column with another transform of its numbers x, (n,)."""
        if self.grid is self.transform:
            return self
        other = copy(self)
        smooth = x[self.encode(x, None)[1][:, -1] == ACTIVE]
        other.transform = self._fitted(smooth, n_knots, rng)
        return other

    def _fitted(self, x, n_knots, rng):
        """The transform of numbers x, spread in their rounding steps."""
        x = self.grid.spread(x, rng)
        if self.rhythm is None:
            return fit_normal_scores(x, n_knots)
        return RhythmicSpline(self.rhythm, fit_normal_scores(self.rhythm.forward(x)[0], n_knots))

    @staticmethod
    def _states(atoms, counts, n_smooth, n_missing):
        if not len(atoms) and not n_missing:
            return None
        values = np.concatenate([[-np.inf], atoms, [np.nan] * (n_missing > 0)])
        counts = np.concatenate([[n_smooth], counts, [n_missing] * (n_missing > 0)])
        return Levels(values, counts, np.arange(len(values)))

    def units(self, start):
        return [Unit()] if self.levels is None else [self.levels.unit, Unit(parent=start)]

    def encode(self, x, rng):
        states = None if self.levels is None else self.levels.encode(x)[0]
        active = ~np.isnan(x)
        if states is not None:
            states[active & (states == ABSENT)] = ACTIVE
            active &= states == ACTIVE
        number = np.where(active, x, self.low)
        if rng is not None:  # so that no density can pile up on the grid
            number = self.grid.spread(number, rng)
        z, log_slope = self.transform.forward(number)
        z, codes = np.where(active, z, 0.0), np.where(active, ACTIVE, ABSENT)
        log_slope = np.where(active, log_slope, 0.0)
        if states is None:
            return z[:, None], codes[:, None], log_slope
        return np.column_stack([self.levels.coordinates(states), z]), np.column_stack([states, codes]), log_slope

    def decode(self, z, codes, rng):
        x = self.transform.inverse(z[:, -1])
        if self.levels is None:
            return x
        return np.where(codes[:, 0] == ACTIVE, x, self.levels.decode(codes[:, 0], rng))

    def as_given(self, x, enforce_bounds, enforce_decimals):
        if enforce_decimals:
            nearest = self.grid.nearest(x)
            x = nearest_within(self.atoms(), x, nearest, error_of(self)) if len(self.grid.values) else nearest
        return np.clip(x, self.low, self.high) if enforce_bounds else x

    def snapped(self, x, enforce_decimals):
        """Numbers on the decimal grid; those that miss an atom or a number with a cell by float error, on it."""
        on_decimals = enforce_decimals and isinstance(self.grid, Decimals)
        rounded = self.grid.nearest(x) if on_decimals else round_to_grid(x, self.step * enforce_decimals)
        on_grid = nearest_within(self.grid.values, x, rounded, error_of(self))
        return nearest_within(self.atoms(), x, on_grid, error_of(self))

    def atoms(self):
        """Numbers that are states of their own."""
        return np.empty(0) if self.levels is None else self.levels.values[np.isfinite(self.levels.values)]

    def allows(self, x, enforce_bounds):
        within = (x >= self.low) & (x <= self.high) if enforce_bounds else ~np.isnan(x)
        return within | (False if self.levels is None else self.levels.encode(x)[0] != ABSENT)

    def beside(self, x):
        if not self.step:
            return np.full((2, len(x)), np.nan)
        ends = round_to_grid(np.stack([np.floor(x / self.step), np.ceil(x / self.step)]) * self.step, self.step)
        return np.where(np.abs(x - ends).min(axis=0) > BESIDE * self.step, ends, np.nan)

    def on_level(self, codes):
        return codes[:, -1] != ACTIVE

    def log_cell(self, codes):
        return np.where(self.on_level(codes), 0.0, np.log(self.step or 1.0))

    def choices(self):
        return np.array([self.low, self.high] + [np.nan] * has_gaps(self)), True

    def features(self, x):
        return np.where(np.isnan(x), 2 * self.low - self.high - 1.0, x)


def has_gaps(column):
    """Whether cells of a column were missing."""
    return bool(column.levels is not None and np.isnan(column.levels.values[-1]))


def is_discrete(x):
    """Whether a column of numbers has so few different ones that each is a level of its own."""
    n_numbers = len(np.unique(x[~np.isnan(x)]))
    return n_numbers <= min(MAX_NUMBERS, max(1, len(x) // ROWS_PER_NUMBER))


def column_of_numbers(x, n_knots, rng, step=0.0):
    """The column of numbers x, (n,): a DiscreteColumn or a NumericColumn."""
    return DiscreteColumn(x) if is_discrete(x) else NumericColumn(x, n_knots, rng, step)


def shares_present(column):
    """Shares of the levels of each unit, those of missing cells left out, as a list."""
    shares = [np.where(np.arange(unit.n_levels) == unit.gap, 0.0, unit.shares) for unit in column.units(0)]
    return [s / s.sum() for s in shares]


def draw_margin(column, n, rng):
    """n independent numbers of a column, as if there were no others: none is missing, nor rounded yet."""
    parts = shares_present(column)
    z, codes = rng.normal(size=(n, len(parts))), np.zeros((n, len(parts)), dtype=int)
    for i, shares in enumerate(parts):
        if len(shares):
            codes[:, i] = rng.choice(len(shares), n, p=shares)
    return column.decode(z, codes, rng)


def log_margin(column, z, codes):
    """Log-density, in coordinates, with which `draw_margin` draws encoded numbers, (n,)."""
    total = np.zeros(len(z))
    for shares, own_z, own_codes in zip(shares_present(column), z.T, codes.T):
        if len(shares):
            with np.errstate(divide="ignore"):
                total += np.log(shares[own_codes])
        else:
            total += np.where(own_codes == ACTIVE, norm.logpdf(own_z), 0.0)
    return total
