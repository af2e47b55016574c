"""Tables <-> units: what the mixture and the network read.

The codec works on the float matrix that `_table` makes: numbers as they are, categories as codes, NaN where a cell is
missing. It makes one or two units of each column, and keeps the relations between columns.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from ._columns import ABSENT, ACTIVE, DiscreteColumn, LabelColumn, NumericColumn
from ._numbers import ROWS_PER_NUMBER, same_numbers
from ._orders import LevelOrders
from ._relations import NO_WEIGHT, LinearColumn, dependency, find_line, find_sums
from ._table import UNSEEN

MAX_NUMBERS = 32  # distinct numbers that a column may have and still be one discrete unit
NEGLIGIBLE = 0.1  # part of the largest move of a sum that a column must have to be solved for
TAIL = 1e-6  # ranks are kept this far from 0 and 1


class Rows(NamedTuple):
    """Encoded rows: coordinates and codes, each (n, d), and the log-slopes of the columns, (n, n_columns).

    A coordinate is 0 where its unit is inactive or its level unseen. Log-slopes also hold the log-shares of
    categories inside a shared level.
    """

    z: np.ndarray
    codes: np.ndarray
    log_slopes: np.ndarray


class Codec:
    """Float matrix <-> units, column by column.

    Parameters
    ----------
    values : (n_samples, n_columns)
    categorical, nominal : masks of the columns that hold categories, and of those without an order
    n_knots : knots of the transforms of numeric columns
    rng : RandomState, for the noise inside rounding steps, and the rows that tell the order of levels
    label : LabelColumn of the first column, if that holds class labels
    """

    def __init__(self, values, categorical, nominal, *, n_knots, rng, label=None):
        self.columns = []
        sources, numbers = {}, []  # numeric columns so far, and these with those of few numbers
        orders = LevelOrders(values, nominal, rng)
        for j, (x, is_category) in enumerate(zip(values.T, categorical, strict=True)):
            if label is not None and j == 0:
                column = label
            elif is_category:
                column = DiscreteColumn(x[x != UNSEEN] if (x != UNSEEN).any() else x, orders.scores(j))
            elif is_discrete(x):
                column = DiscreteColumn(x)
                numbers.append(j)
            else:
                column = find_line(sources, x)
                if column is None:
                    column = NumericColumn(x, n_knots, rng)
                    sources[j] = column, x
                    numbers.append(j)
            self.columns.append(column)
        for j, column in find_sums(values, numbers, sources).items():
            for _, line in self._lines():
                line.replace(j, column)
            self.columns[j] = column
        self.units, self.slices = [], []
        for column in self.columns:
            start = len(self.units)
            self.units += column.units(start)
            self.slices.append(slice(start, len(self.units)))
        self.nominal = np.asarray(nominal)

    def restrict(self, values):
        """Find units whose levels determine those of another, so that only what occurs together is drawn together.

        Class labels are left to the classifier.
        """
        codes = self.encode(values).codes
        sources = []  # of several units that tell the same, the first
        for j, unit in enumerate(self.units):
            if unit.n_levels < 2 or (j == 0 and isinstance(self.columns[0], LabelColumn)):
                continue
            found = {i: dependency(codes[:, i], codes[:, j], (self.units[i].n_levels, unit.n_levels)) for i in sources}
            found = {i: allowed for i, allowed in found.items() if allowed is not None}
            twin = next(
                (
                    i
                    for i, allowed in found.items()
                    if (allowed[:-1].sum(axis=0) <= 1).all() and (allowed[:-1].sum(axis=1) <= 1).all()
                ),
                None,
            )
            if twin is None:
                sources.append(j)
            self.units[j] = replace(unit, allowed=found if twin is None else {twin: found[twin]})

    def encode(self, values, rng=None):
        """Rows of the values; with `rng`, numbers are spread inside their rounding step first."""
        told = list(values.T)
        for j, line in self._lines():
            told[j] = line.misses(values, values[:, j])
        parts = [column.encode(x, rng) for column, x in zip(self.columns, told, strict=True)]
        z, codes, log_slopes = zip(*parts, strict=True)
        return Rows(np.concatenate(z, axis=1), np.concatenate(codes, axis=1), np.column_stack(log_slopes))

    def decode(self, z, codes, rng):
        """Values of coordinates and codes, before rounding and bounds."""
        parts = zip(self.columns, self.slices, strict=True)
        return np.column_stack([column.decode(z[:, s], codes[:, s], rng) for column, s in parts])

    def as_given(self, values, enforce_bounds=True, enforce_decimals=True):
        """Values as they are given out: with the decimals and inside the bounds of the training rows."""
        columns = zip(self.columns, values.T, strict=True)
        given = np.column_stack([column.as_given(x, enforce_bounds, enforce_decimals) for column, x in columns])
        self.fill_lines(given, enforce_decimals)
        return given

    def _lines(self):
        """Index and column of those that others tell."""
        return [(j, column) for j, column in enumerate(self.columns) if isinstance(column, LinearColumn)]

    def fill_lines(self, values, enforce_decimals):
        """Compute the columns that others tell, in place."""
        for j, line in self._lines():
            values[:, j] = line.of(values, enforce_decimals)

    def sums(self):
        """Index and column of those that several others tell."""
        return [(j, line) for j, line in self._lines() if line.is_sum]

    def beyond(self, values):
        """Mask of the rows in which a sum is beyond its bounds."""
        are_beyond = np.zeros(len(values), dtype=bool)
        for j, line in self.sums():
            are_beyond |= (values[:, j] < line.low) | (values[:, j] > line.high)
        return are_beyond

    def contradicted(self, values, fixed):
        """Mask of the rows in which all columns of a sum are fixed, and do not add up."""
        contradicted = np.zeros(len(values), dtype=bool)
        for j, line in self.sums():
            contradicted |= fixed[:, [j, *line.sources]].all(axis=1) & (line.misses(values, values[:, j]) > 0)
        return contradicted

    def unknowns(self, fixed):
        """Triples (equation, source, mask of rows) where fixed lines tell what a free source is, given others.

        An equation has a weight for each column and a constant, which sum to 0; that of the source is 1. No source of
        one equation is in another of the same rows.

        Parameters
        ----------
        fixed : mask (n, n_columns)
        """
        if not self._lines():
            return
        patterns, pattern = np.unique(fixed, axis=0, return_inverse=True)
        for k, known in enumerate(patterns):
            for equation, source in self._eliminate(known):
                yield equation, source, pattern.ravel() == k

    def _eliminate(self, known):
        """Equations of the lines that are known, each solved for a source of its own that is not, by elimination."""
        lines = [(j, line) for j, line in self._lines() if known[j]]
        equations = np.zeros((len(lines), len(self.columns) + 1))
        for equation, (j, line) in zip(equations, lines):
            equation[line.sources], equation[-1], equation[j] = -line.slopes, -line.intercept, 1.0
        solved = []
        for k, equation in enumerate(equations):
            source = self._unknown(np.where(known, 0.0, equation[:-1]))
            if source is not None:
                equation /= equation[source]
                for other in np.delete(np.arange(len(lines)), k):
                    rest = equations[other] - equations[other, source] * equation
                    equations[other] = np.where(np.abs(rest) > NO_WEIGHT * np.abs(equations[other]), rest, 0.0)
                solved.append((k, source))
        return [(equations[k], source) for k, source in solved]

    def _unknown(self, weights):
        """Which column an equation is solved for: the last number that moves it enough, if it can be without atoms."""
        columns = np.flatnonzero(weights)
        kinds = [isinstance(c, NumericColumn) * (1 + (c.levels is None)) for c in (self.columns[i] for i in columns)]
        best = [i for i, kind in zip(columns, kinds) if kind == max(kinds)]
        moves = [abs(weights[i]) * (self.columns[i].high - self.columns[i].low) for i in best]
        return max((i for i, move in zip(best, moves) if move >= NEGLIGIBLE * max(moves)), default=None)

    def solve(self, equation, source, values, enforce_decimals):
        """Numbers of a source that belong to the rest of the rows, and a mask of those that no rounding has moved."""
        others = np.flatnonzero(equation[:-1])
        others = others[others != source]
        exact = -(values[:, others] @ equation[others] + equation[-1])
        x = self.columns[source].snapped(exact, enforce_decimals)
        return x, same_numbers(x, exact, self.columns[source])

    def draw_margin(self, j, n, rng, enforce_bounds, enforce_decimals):
        """n independent numbers of column j, as if there were no others."""
        column, units = self.columns[j], self.units[self.slices[j]]
        z, codes = rng.normal(size=(n, len(units))), np.zeros((n, len(units)), dtype=int)
        for i, unit in enumerate(units):
            if unit.n_levels:
                codes[:, i] = rng.choice(unit.n_levels, n, p=unit.shares)
        return column.as_given(column.decode(z, codes, rng), enforce_bounds, enforce_decimals)

    def log_margin(self, j, z, codes):
        """Log-density, in coordinates, with which `draw_margin` draws the encoded numbers, (n,)."""
        total = np.zeros(len(z))
        for unit, own_z, own_codes in zip(self.units[self.slices[j]], z.T, codes.T):
            if unit.n_levels:
                total += np.log(unit.shares[own_codes])
            else:
                total += np.where(own_codes == ACTIVE, norm.logpdf(own_z), 0.0)
        return total

    def complete(self, values, fixed, enforce_decimals):
        """Values and mask of fixed cells, with what lines tell of them alone."""
        values, fixed, free = values.copy(), fixed.copy(), ~fixed
        for equation, source, rows in self.unknowns(fixed):
            if np.flatnonzero(equation[:-1] * free[rows][0]).tolist() == [source]:
                values[rows, source], _ = self.solve(equation, source, values[rows], enforce_decimals)
                fixed[rows, source] = True
        return values, fixed

    def are_open(self, fixed):
        """Mask of the cells of lines, with free sources."""
        are_open = np.zeros_like(fixed)
        for j, line in self._lines():
            are_open[:, j] = ~fixed[:, line.sources].all(axis=1)
        return are_open

    def unit_mask(self, columns):
        """Mask of the units of the columns in a mask, (..., n_columns) -> (..., d)."""
        return np.repeat(columns, [s.stop - s.start for s in self.slices], axis=-1)

    def missing_levels(self):
        """Level of each unit that means a missing cell, ABSENT if none does, (d,)."""
        return self.encode(np.full((1, len(self.columns)), np.nan)).codes[0]

    def allows(self, values, fixed, enforce_bounds):
        """Mask of the cells that may be asked for, (n_samples, n_columns); True in columns that are not fixed."""
        allowed = [c.allows(x, enforce_bounds) for c, x in zip(self.columns, values.T, strict=True)]
        return np.column_stack(allowed) | ~fixed

    def features(self, values):
        """Finite matrix that discriminators read, (n_samples, n_columns)."""
        return np.column_stack([column.features(x) for column, x in zip(self.columns, values.T, strict=True)])

    def spread(self, rows, rng):
        """Coordinates for EM, (n, d): levels spread over their intervals, absent units drawn from N(0, 1)."""
        z = rows.z.copy()
        for i, unit in enumerate(self.units):
            codes = rows.codes[:, i]
            if unit.n_levels:
                rank = unit.bounds[codes] + unit.shares[codes] * rng.uniform(size=len(codes))
                z[:, i] = ndtri(np.clip(rank, TAIL, 1 - TAIL))
            absent = codes == ABSENT
            z[absent, i] = rng.standard_normal(absent.sum())
        return z


def is_discrete(x):
    """Whether a column of numbers has so few different ones that each is a level of its own."""
    n_numbers = len(np.unique(x[~np.isnan(x)]))
    return n_numbers <= min(MAX_NUMBERS, max(1, len(x) // ROWS_PER_NUMBER))
