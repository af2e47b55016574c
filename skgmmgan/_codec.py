"""Tables <-> units: what the mixture and the network read.

The codec works on the float matrix that `_table` makes: numbers as they are, categories as codes, NaN where a cell is
missing. It makes one or two units of each column, and keeps the relations between columns.

Where a column is a multiple of another and little noise, the noise is a column of its own, behind those of the table: a
*difference*. Methods take rows with or without differences, and give them with these.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from ._columns import ABSENT, DiscreteColumn, LabelColumn, NumericColumn, has_gaps, is_discrete
from ._differences import find_differences
from ._formulas import find_functions, find_products, find_rates, find_rounded_sums, hangs_on
from ._lookups import find_lookups
from ._numbers import Decimals, float_error, round_to_grid
from ._orders import LevelOrders
from ._ranges import find_ranges
from ._relations import (
    ComputedColumn,
    LinearColumn,
    dependency,
    eliminate,
    find_all_sums,
    find_grouped,
    find_line,
    kind_to_solve,
    never_together,
    sum_formula,
    together,
    with_all,
)
from ._rounded import Options, RoundedColumn, RoundedSum, Solution
from ._table import UNSEEN

MAX_ITERATIONS = 50  # to find a number that others hang on which it is solved from
NUDGE = 1e-6  # part of the range of a column by which its numbers are moved, to see what follows
ON_GRID = 1e-6  # part of its step by which a number that is solved for may miss it
TAIL = 1e-6  # ranks are kept this far from 0 and 1


class Rows(NamedTuple):
    """Encoded rows: coordinates and codes, each (n, d), and the log-slopes of the columns, (n, n_columns).

    A coordinate is 0 where its unit is inactive or its level unseen. Log-slopes also hold the log-shares of
    categories inside a shared level.
    """

    z: np.ndarray
    codes: np.ndarray
    log_slopes: np.ndarray


class Unknown(NamedTuple):
    """A free column that fixed ones tell, given others: by an equation, and then by columns that are rounded.

    An equation has a weight for each column and a constant, which sum to 0; that of the column `via` is 1.
    """

    source: int
    needs: list  # the other columns that must be known
    computed: list  # columns that are computed from these, before it can be solved
    equation: np.ndarray | None = None
    via: int = -1
    steps: tuple = ()  # pairs of a rounded column whose number is known, and a source that is solved from it
    is_circular: bool = False  # whether some of the computed columns hang on the source, too


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
        orders, grouped = LevelOrders(values, nominal, rng), find_grouped(values, categorical)
        for j, (x, is_category) in enumerate(zip(values.T, categorical, strict=True)):
            if label is not None and j == 0:
                column = label
            elif is_category:
                column = DiscreteColumn(x[x != UNSEEN] if (x != UNSEEN).any() else x, orders.scores(j))
            elif is_discrete(x) or j in grouped:
                column = DiscreteColumn(x)
                numbers.append(j)
            else:
                column = find_line(sources, x)
                if column is None:
                    column = NumericColumn(x, n_knots, rng)
                    sources[j] = column, x
                    numbers.append(j)
            self.columns.append(column)
        steps = {j: self.columns[j].step for j in numbers}
        functions = find_functions(values, steps, numbers)
        rounded = find_products(values, steps, [j for j in numbers if j not in functions], functions)
        products = [j for j in rounded if j not in functions]
        told = {i for i in numbers if hangs_on(products, i, rounded)}
        sums = find_all_sums(values, [j for j in numbers if j not in functions], set(sources) - told)
        for j, column in sums.items():
            self._replace(j, column)
            del steps[j]
        rounded = find_rates(values, steps, [j for j in steps if j not in rounded], rounded)
        rounded |= find_rounded_sums(values, steps, [j for j in steps if j not in rounded], rounded)
        for j, column in rounded.items():
            self.columns[j] = column
        self.n_columns, self.lookups = len(self.columns), []  # columns of the table
        even = [j for j in steps if isinstance(getattr(self.columns[j], "grid", None), Decimals)]
        self.differences = []
        with_sums = steps | {j: column.step for j, column in sums.items()}
        for difference, line in find_differences(values, with_sums, even, rounded | sums, rng):
            is_level = isinstance(self.columns[difference.j], DiscreteColumn)
            self.differences.append(difference._replace(unit=steps[difference.j] if is_level else 1.0))
            self.columns.append(difference.column(values, n_knots, rng))
            self._replace(difference.j, line)
        computed = [j for j, column in enumerate(self.columns) if isinstance(column, ComputedColumn)]
        self.computed = sorted(computed, key=self._depth)
        self.units, self.slices = [], []
        for column in self.columns:
            start = len(self.units)
            self.units += column.units(start)
            self.slices.append(slice(start, len(self.units)))
        self.nominal = np.concatenate([nominal, np.zeros(len(self.differences), dtype=bool)])
        self.gaps = self._find_gaps()

    def _replace(self, j, line):
        """Have a column be a line of columns that are none."""
        for i, other in enumerate(self.columns):
            if isinstance(other, LinearColumn):
                line.replace(i, other)
        for other in self.columns:
            if isinstance(other, (LinearColumn, RoundedSum)):
                other.replace(j, line)
        self.columns[j] = line

    def _depth(self, j):
        """How many columns must be computed one after the other until column j is."""
        if not isinstance(self.columns[j], ComputedColumn):
            return 0
        bases = [difference.base for difference in self.differences if difference.j == j]
        return 1 + max(map(self._depth, self.columns[j].sources + bases))

    def extended(self, values):
        """Rows with the differences of their columns, (n, n_columns of the codec)."""
        if values.shape[1] == len(self.columns):
            return values
        return np.column_stack([values, *(difference.of(values) for difference in self.differences)])

    def restrict(self, values):
        """Find units whose levels determine or rule out those of another: only what occurs together is drawn together.

        Class labels are left to the classifier.
        """
        codes = self.encode(values).codes
        self.lookups = find_lookups(self.columns[: self.n_columns], self.slices, codes, values)
        looked_up = [{lookup.own, i} for lookup in self.lookups for i in lookup.units]
        sources = []  # of several units that tell the same, the first
        for j, unit in enumerate(self.units):
            if unit.n_levels < 2 or (j == 0 and isinstance(self.columns[0], LabelColumn)):
                continue
            pairs = {i: (codes[:, i], codes[:, j], (self.units[i].n_levels, unit.n_levels)) for i in sources}
            found = {
                i: with_all(together(*pair) > 0) if {i, j} in looked_up else dependency(*pair)
                for i, pair in pairs.items()
            }
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
                rest = {i: never_together(*pair) for i, pair in pairs.items() if i not in found}
                found |= {i: allowed for i, allowed in rest.items() if allowed is not None}
            self.units[j] = replace(unit, allowed=found if twin is None else {twin: found[twin]})
        for source, gap, own, own_gap in self.gaps:
            if own_gap != ABSENT:
                j = own.start
                allowed = np.ones((self.units[source].n_levels + 1, self.units[j].n_levels), dtype=bool)
                allowed[gap] = np.arange(allowed.shape[1]) == own_gap
                self.units[j] = replace(self.units[j], allowed={**self.units[j].allowed, source: allowed})

    def _find_gaps(self):
        """Of each difference whose base may be missing: the unit and level that tell it, its own units and level."""
        if not self.differences:
            return []
        behind = {difference.j: i for i, difference in self._differences()}
        bases = [(behind.get(d.base, d.base), i) for i, d in self._differences()]
        bases = [(base, i) for base, i in bases if not isinstance(self.columns[base], ComputedColumn)]
        pairs = [(self.slices[base].start, self.slices[i]) for base, i in bases]
        levels = self.missing_levels()
        return [(base, levels[base], own, levels[own.start]) for base, own in pairs if levels[base] != ABSENT]

    def encode(self, values, rng=None):
        """Rows of the values; with `rng`, numbers are spread inside their rounding step first."""
        values = self.extended(values)
        told = list(values.T)
        for j, line in self._lines():
            told[j] = line.misses(values, values[:, j])
        parts = [column.encode(x, rng) for column, x in zip(self.columns, told, strict=True)]
        for i, difference in self._differences():
            _, codes, log_slopes = parts[i]
            log_slopes += np.where(np.isnan(values[:, i]), 0.0, difference.log_unit(self.columns[i].on_level(codes)))
        z, codes, log_slopes = zip(*parts, strict=True)
        rows = Rows(np.concatenate(z, axis=1), np.concatenate(codes, axis=1), np.column_stack(log_slopes))
        for lookup in self.lookups:
            shared = rows.codes[:, lookup.own] == lookup.shared
            rows.log_slopes[shared, lookup.column] += lookup.log_share(rows.codes[shared])
            wrong = lookup.breaks(values, rows.codes[:, lookup.units]).any(axis=1)
            for follower in lookup.followers:
                rows.log_slopes[(rows.codes[:, follower.unit] == follower.shared) & ~wrong, follower.column] = 0.0
            rows.codes[wrong, lookup.own], rows.z[wrong, lookup.own] = ABSENT, 0.0
            rows.log_slopes[wrong, lookup.column] = 0.0
        return rows

    def decode(self, z, codes, rng):
        """Values of coordinates and codes, before rounding and bounds."""
        parts = zip(self.columns, self.slices, strict=True)
        values = np.column_stack([column.decode(z[:, s], codes[:, s], rng) for column, s in parts])
        for lookup in self.lookups:
            lookup.draw(values, codes, rng)
        return values

    def as_given(self, values, enforce_bounds=True, enforce_decimals=True):
        """Values as they are given out: with the decimals and inside the bounds of the training rows."""
        columns = zip(self.columns, self.extended(values).T, strict=True)
        given = np.column_stack([column.as_given(x, enforce_bounds, enforce_decimals) for column, x in columns])
        self.fill_lines(given, enforce_decimals)
        return given

    def _differences(self):
        """Index and Difference of the columns behind those of the table."""
        return list(enumerate(self.differences, self.n_columns))

    def _lines(self):
        """Index and column of those that others tell, in an order in which they can be computed."""
        return [(j, self.columns[j]) for j in self.computed]

    def fill_lines(self, values, enforce_decimals):
        """Compute the columns that others tell, in place, and differences that are rounding alone."""
        rounding = {difference.j: (i, difference) for i, difference in self._differences() if difference.grid}
        for j, line in self._lines():
            if j in rounding and enforce_decimals:
                i, difference = rounding[j]
                is_missing = np.isnan(values[:, i])
                values[:, j] = np.where(is_missing, np.nan, difference.rounded(values))
                values[:, i] = difference.of(values)
            values[:, j] = line.of(values, enforce_decimals)

    def tied(self):
        """Mask of the columns of the table that are tied to others: computed from them, or by levels."""
        tied = np.zeros(len(self.columns), dtype=bool)
        for j, line in self._lines():
            tied[[j, *line.sources]] = True
        column_of = self._column_of()
        for j, i, _ in self._dependencies():  # those of lookups among them
            tied[column_of[[i, j]]] = True
        return tied[: self.n_columns]

    def may_be_impossible(self, enforce_bounds):
        """Whether drawn rows can be."""
        has_rounded = any(isinstance(line, RoundedColumn) for _, line in self._lines())
        return bool(self.lookups) or (has_rounded and not enforce_bounds)

    def sums(self):
        """Index and column of those that several others tell."""
        return [(j, line) for j, line in self._lines() if line.is_joint]

    def beyond(self, values):
        """Mask of the rows in which a sum is beyond its bounds."""
        are_beyond = np.zeros(len(values), dtype=bool)
        for j, line in self.sums():
            are_beyond |= (values[:, j] < line.low) | (values[:, j] > line.high)
        return are_beyond

    def impossible(self, values):
        """Mask of the rows in which there is no number to compute, or whose category does not tell the rest of them."""
        impossible = np.zeros(len(values), dtype=bool)
        for j, line in self._lines():
            if isinstance(line, RoundedColumn):
                impossible |= np.isinf(values[:, j])
        for lookup in self.lookups:
            impossible |= lookup.breaks(values, self._told_levels(lookup, values)).any(axis=1)
        return impossible

    def forget_most_broken(self, values):
        """Leave away what is told of the unit whose levels most often do not go with the categories of rows."""
        broken = [lookup.breaks(values, self._told_levels(lookup, values)).mean(axis=0) for lookup in self.lookups]
        i = int(np.argmax([shares.max() for shares in broken]))
        self.lookups[i].forget(int(broken[i].argmax()))
        self.lookups = [lookup for lookup in self.lookups if lookup.units]

    def _told_levels(self, lookup, values):
        """Levels of the units that a lookup tells, (n, n_units)."""
        columns = self._column_of()[lookup.units]
        return np.column_stack(list(self.level_codes(columns, values).values()))

    def find_ranges(self, values):
        """Ranges of numbers in the rows of levels; not of class labels, which are left to the classifier."""
        n_levels = {j: self.units[s.start].n_levels for j, s in enumerate(self.slices[: self.n_columns])}
        sources = [j for j, n in n_levels.items() if n > 1 and not isinstance(self.columns[j], LabelColumn)]
        levels = {j: (codes, n_levels[j]) for j, codes in self.level_codes(sources, values).items()}
        return find_ranges(values, levels, np.flatnonzero(~self.nominal[: self.n_columns]))

    def level_codes(self, columns, values):
        """Level of each row, (n,), by the index of the column: that of its first unit."""
        return {j: self.columns[j].encode(values[:, j], None)[1][:, 0] for j in columns}

    def broken(self, values, are_asked=False):
        """Pairs of the columns of a relation, the one that is told first, and the mask of the rows that break it.

        What is asked for need only be as near as the decimals of a source allow.
        """
        values = self.extended(values)
        for j, line in self._lines():
            x = values[:, j]
            breaks = line.cannot_be(values, x, self.columns) if are_asked else line.misses(values, x) > 0
            yield [j, *line.sources], breaks
        dependencies = self._dependencies()
        if dependencies:
            codes, column_of = self.encode(values).codes, self._column_of().tolist()
        for j, i, allowed in dependencies:
            known = (codes[:, i] != ABSENT) & (codes[:, j] != ABSENT)
            yield [column_of[j], column_of[i]], known & ~allowed[codes[:, i], codes[:, j]]
        for lookup in self.lookups:
            for i, breaks in zip(lookup.units, lookup.breaks(values, codes[:, lookup.units]).T):
                yield [column_of[i], lookup.column], breaks

    def broken_of_table(self, values, are_asked=False):
        """Those of `broken` that are of columns of the table alone, as tuples."""
        broken = self.broken(values, are_asked)
        return ((tuple(columns), mask) for columns, mask in broken if max(columns) < self.n_columns)

    def broken_differences(self, values):
        """Pairs of the columns of a difference, and the mask of the rows in which it is beyond its bounds."""
        for i, difference in self._differences():
            d, column = difference.of(values), self.columns[i]
            yield (difference.j, difference.base), (d < column.low) | (d > column.high)

    def broken_rules(self, values, fixed, enforce_bounds, labels, are_plain):
        """What fixed cells break, in words; where they break nothing at once, what tells those that are computed.

        Parameters
        ----------
        labels : of the columns of the table
        are_plain : mask of those whose numbers are as they are written
        """
        told, broken = {}, []
        for columns, mask in self.broken_of_table(values, are_asked=True):
            told[columns] = self._rule(*columns, labels=labels, are_plain=are_plain)
            if (fixed[:, columns].all(axis=1) & mask).any():
                broken.append(told[columns])
        for difference, (columns, mask) in zip(self.differences, self.broken_differences(values)):
            told[columns] = self._rule_of(difference, labels, are_plain)
            if (fixed[:, columns].all(axis=1) & mask).any() and enforce_bounds:
                broken.append(told[columns])
        asked = fixed.any(axis=0)
        return broken or [rule for (j, *_), rule in told.items() if j in self.computed and asked[j]]

    def _rule(self, j, *sources, labels, are_plain):
        line, others = self.columns[j], [labels[i] for i in sources]
        if not isinstance(line, ComputedColumn):
            return f"{labels[j]} goes with {others[0]}"
        if are_plain[[j, *sources]].all():
            return f"{labels[j]} = {line.formula(others)}"
        return f"{labels[j]} is told by {' and '.join(others)}"

    @staticmethod
    def _rule_of(difference, labels, are_plain):
        base = labels[difference.base]
        if are_plain[[difference.j, difference.base]].all():
            base = sum_formula([difference.slope], [base], 0)
        return (
            f"{labels[difference.j]} is {base} rounded" if difference.grid else f"{labels[difference.j]} is near {base}"
        )

    def finite(self, values):
        """Values with bounds in the place of infinite ones, of columns that could not be computed."""
        for j, line in self._lines():
            values[:, j] = np.where(np.isinf(values[:, j]), np.clip(values[:, j], line.low, line.high), values[:, j])
        return values

    def missed(self, values, given, fixed):
        """Mask of the rows in which what is computed is not what is given."""
        missed = np.zeros(len(values), dtype=bool)
        for j, line in self._lines():
            is_open = fixed[:, j] & ~fixed[:, line.sources].all(axis=1)
            missed |= is_open & line.cannot_be(values, given[:, j], self.columns)
        for lookup in self.lookups:
            missed |= lookup.misses(given, fixed)
        return missed

    def contradicted(self, values, fixed, options):
        """Mask of the rows in which what is fixed contradicts relations: lines, products, or levels."""
        contradicted = np.zeros(len(values), dtype=bool)
        for columns, mask in self.broken(values, are_asked=True):
            contradicted |= fixed[:, columns].all(axis=1) & mask
        for unknown, rows in self.unknowns(fixed):
            if unknown.steps and not unknown.is_circular and fixed[rows][:, unknown.needs].all():
                solution, _ = self.solve(unknown, values[rows], options)
                contradicted[rows] |= np.isneginf(solution.log_size) & ~solution.any_does
        return contradicted

    def _dependencies(self):
        """Triples of a unit, an earlier one, and which levels of both go together."""
        return [(j, i, allowed) for j, unit in enumerate(self.units) for i, allowed in unit.allowed.items()]

    def unknowns(self, fixed):
        """Pairs (Unknown, mask of rows) where fixed columns tell what a free one is, given others.

        No source of one is needed by another of the same rows.

        Parameters
        ----------
        fixed : mask (n, n_columns)
        """
        if not self.computed:
            return
        patterns, pattern = np.unique(fixed, axis=0, return_inverse=True)
        for k, known in enumerate(patterns):
            for unknown in self._unknowns_of(known):
                yield unknown, pattern.ravel() == k

    def _unknowns_of(self, known):
        """The equations of `eliminate`, then the rounded columns, each solved for a column that no other needs."""
        found, wanted = [], []
        for equation, source in eliminate(self._lines(), known, self.columns):
            if isinstance(self.columns[source], RoundedColumn):
                wanted.append((source, equation))
            else:
                found.append(self._unknown(source, known, equation, source))
        wanted += [(j, None) for j, line in self._lines() if known[j] and isinstance(line, RoundedColumn)]
        for j, equation in wanted:
            taken = {i for unknown in found for i in [unknown.source, *unknown.needs]}
            ways = [self._unknown(steps[-1][1], known, equation, j, steps) for steps in self._steps(j, known, taken)]
            found += sorted(ways, key=lambda unknown: unknown.is_circular)[:1]
        return found

    def _steps(self, j, known, taken):
        """Ways from a rounded column to a free one, the best first: pairs of a rounded column and a source of it."""
        free = [i for i in self.columns[j].sources if not (known[i] or i in taken)]
        for i in sorted(free, key=lambda i: (kind_to_solve(self.columns[i]), i), reverse=True):
            if i not in self.computed:
                yield ((j, i),)
            elif isinstance(self.columns[i], RoundedColumn):
                yield from (((j, i), *deeper) for deeper in self._steps(i, known, taken))

    def _unknown(self, source, known, equation, via, steps=()):
        """What a column is solved from, down to columns that are not computed, or known."""
        solved = {source, *(i for _, i in steps)}
        direct = [] if equation is None else [i for i in np.flatnonzero(equation[:-1]) if i != via]
        direct += [via] if equation is None else []
        direct += [i for j, _ in steps for i in self.columns[j].sources if i not in solved]
        needs, computed = [], []
        while direct:
            i = direct.pop()
            if i in self.computed and not known[i]:
                computed.append(i)
                direct += self.columns[i].sources
            elif i not in needs:
                needs.append(i)
        computed, others = [i for i in self.computed if i in computed], sorted(set(needs) - {source})
        return Unknown(source, others, computed, equation, via, steps, source in needs)

    def solve(self, unknown, values, options, rng=None):
        """The Solution of an unknown in rows, and by how much rounding has moved the column that its equation tells.

        Without `rng`, of several numbers that are rounded to the same those nearest to the values are taken. What is
        computed from the source itself is found by iteration, which converges where it hangs on the source by less
        than the rest does; whoever calls must look whether it has.
        """
        if not unknown.is_circular:
            return self._solve_once(unknown, values, options, rng)
        values, column = values.copy(), self.columns[unknown.source]
        own = values[:, unknown.source]  # a view
        own[np.isnan(own)] = (column.low + column.high) / 2
        raw, by = Options(enforce_bounds=False, enforce_decimals=False), NUDGE * (column.high - column.low)
        for _ in range(MAX_ITERATIONS):
            before, own[:] = own.copy(), self._solve_once(unknown, values, raw)[0].x
            if np.allclose(own, before, rtol=0.0, atol=NUDGE * by, equal_nan=True):
                break
        exact = own.copy()
        for _ in range(2):  # the second time with what belongs to a number on its grid
            solution, miss = self._solve_once(unknown, values, options)
            own[:] = np.where(np.isnan(solution.x), exact, solution.x)
        own[:] = exact
        own += by
        slope = (self._solve_once(unknown, values, raw)[0].x - exact) / by
        log_size = solution.log_size - np.log(np.maximum(np.abs(1 - slope), NUDGE))
        return solution._replace(log_size=log_size), miss

    def _solve_once(self, unknown, values, options, rng=None):
        values, n = values.copy(), len(values)
        for i in unknown.computed:
            values[:, i] = self.columns[i].of(values, options.enforce_decimals)
        x, miss, log_size, any_does = values[:, unknown.via], np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool)
        if unknown.equation is not None:
            x, miss = self._solve_equation(unknown.equation, unknown.via, values, options.enforce_decimals)
        for j, i in unknown.steps:
            if i in self.computed:
                values[:, i] = self.columns[i].of(values, options.enforce_decimals)
            solution = self.columns[j].solve(i, self.columns[i], values, x, options, rng)
            x, log_size, any_does = solution.x, log_size + solution.log_size, any_does | solution.any_does
        return Solution(x, log_size, any_does), miss

    def _solve_equation(self, equation, source, values, enforce_decimals):
        """Numbers of a source that belong to the rest of the rows, and by how much rounding has moved them."""
        others = np.flatnonzero(equation[:-1])
        others = others[others != source]
        exact = -(values[:, others] @ equation[others] + equation[-1])
        column = self.columns[source]
        sizes = [max(abs(self.columns[i].low), abs(self.columns[i].high)) for i in others]
        error = 8 * np.spacing(np.abs(equation[others]) * sizes).sum()
        error = max(error, float_error(column.low, column.high, column.step), ON_GRID * column.step)
        on_grid = round_to_grid(exact, column.step)
        x = column.snapped(np.where(np.abs(on_grid - exact) <= error, on_grid, exact), enforce_decimals)
        miss = x - exact
        return x, np.where(np.abs(miss) <= (min(error, column.step / 4) if column.step else error), 0.0, miss)

    def complete(self, values, fixed, options):
        """Values and mask of fixed cells, with what the relations tell of them alone."""
        values, fixed = self._with_fixed_differences(values, fixed)
        n_fixed = -1
        while fixed.sum() > n_fixed:
            n_fixed = fixed.sum()
            for j, product in self._lines():
                if isinstance(product, RoundedColumn):
                    told = fixed[:, product.sources].all(axis=1) & ~fixed[:, j]
                    values[told, j], fixed[told, j] = product.of(values[told], options.enforce_decimals), True
            for lookup in self.lookups:
                self._look_up(lookup, values, fixed)
            for unknown, rows in self.unknowns(fixed.copy()):
                if fixed[rows][:, unknown.needs].all():
                    solution, _ = self.solve(unknown, values[rows], options)
                    alone = (solution.log_size == 0) & ~solution.any_does & (not unknown.is_circular)
                    told = np.flatnonzero(rows)[alone]
                    values[told, unknown.source], fixed[told, unknown.source] = solution.x[alone], True
        return values, fixed

    def _look_up(self, lookup, values, fixed):
        """Set free cells of the rows in which a category tells them, in place."""
        where, known = lookup.position(values)
        known &= fixed[:, lookup.column]
        column_of = self._column_of()
        told = [(f.column, f.told[where]) for f in lookup.followers]
        for i, levels in zip(lookup.units[: len(lookup.units) - len(told)], lookup.told[where].T):
            told.append((column_of[i], self.columns[column_of[i]].levels.decode(levels, None)))
        for j, x in told:
            rows = known & ~fixed[:, j]
            values[rows, j], fixed[rows, j] = x[rows], True

    def _with_fixed_differences(self, values, fixed):
        """Copies with the differences, which are fixed where both of their columns are.

        A number that is fixed as missing has a missing difference, or sources that are missing with it, and is computed
        from these.
        """
        extended = self.extended(np.where(fixed, values, np.nan))
        fixed = np.column_stack([fixed, *(fixed[:, [d.j, d.base]].all(axis=1) for d in self.differences)])
        for i, difference in self._differences():
            gaps = fixed[:, difference.j] & np.isnan(extended[:, difference.j])
            fixed[gaps, i], fixed[gaps, difference.j] = True, False
        values = np.where(fixed, extended, np.column_stack([values, extended[:, self.n_columns :]]))
        for j, line in self.sums():
            missing = [i for i in line.sources if has_gaps(self.columns[i])] if has_gaps(line) else []
            gaps = np.flatnonzero(fixed[:, j] & np.isnan(values[:, j]))
            values[np.ix_(gaps, missing)], fixed[np.ix_(gaps, missing)] = np.nan, True
            fixed[gaps, j] &= not missing
        return values, fixed

    def are_open(self, fixed):
        """Mask of the cells of lines, with free sources."""
        are_open = np.zeros_like(fixed)
        for j, line in self._lines():
            are_open[:, j] = ~fixed[:, line.sources].all(axis=1)
        return are_open

    def in_units(self, log_prob, log_slopes):
        """Log-density of each column of the table, (n, n_columns), from that of each unit."""
        parts = np.add.reduceat(log_prob, [s.start for s in self.slices], axis=1) + log_slopes
        for i, difference in self._differences():
            parts[:, difference.j] += parts[:, i]
        return parts[:, : self.n_columns]

    def unit_mask(self, columns):
        """Mask of the units of the columns in a mask, (..., n_columns) -> (..., d)."""
        return np.repeat(columns, [s.stop - s.start for s in self.slices], axis=-1)

    def _column_of(self):
        """Index of the column of each unit, (d,)."""
        return self.unit_mask(np.arange(len(self.columns)))

    def missing_levels(self):
        """Level of each unit that means a missing cell, ABSENT if none does, (d,)."""
        return self.encode(np.full((1, self.n_columns), np.nan)).codes[0]

    def allows(self, values, fixed, enforce_bounds):
        """Mask of the cells that may be asked for, of the shape of values; True in columns that are not fixed."""
        allowed = [column.allows(x, enforce_bounds) for column, x in zip(self.columns, values.T)]
        return np.column_stack(allowed) | ~fixed

    def beside(self, values, fixed):
        """The two numbers of its grid that each fixed cell lies between, (2, n, n_columns of the table), or NaN."""
        beside = np.stack([column.beside(x) for column, x in zip(self.columns, values.T)], axis=2)
        return np.where(fixed, beside, np.nan)

    def features(self, values):
        """Finite matrix that discriminators read, (n_samples, n_columns of the codec)."""
        columns = zip(self.columns, self.extended(values).T, strict=True)
        return np.column_stack([column.features(x) for column, x in columns])

    def spread(self, rows, rng):
        """The same rows with coordinates for EM: levels spread over their intervals, absent units drawn from N(0, 1).

        So are differences without a base, which are absent then.
        """
        z, told = rows.z.copy(), rows.codes.copy()
        for i, unit in enumerate(self.units):
            codes = rows.codes[:, i]
            if unit.n_levels:
                rank = unit.bounds[codes] + unit.shares[codes] * rng.uniform(size=len(codes))
                z[:, i] = ndtri(np.clip(rank, TAIL, 1 - TAIL))
            absent = codes == ABSENT
            z[absent, i] = rng.standard_normal(absent.sum())
        for source, gap, own, _ in self.gaps:
            absent = rows.codes[:, source] == gap
            z[absent, own] = rng.standard_normal(z[absent, own].shape)
            told[absent, own] = ABSENT
        return rows._replace(z=z, codes=told)
