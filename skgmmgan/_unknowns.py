"""What fixed cells tell of free ones: equations are solved, rounding is undone, and categories are looked up."""

from typing import NamedTuple

import numpy as np

from ._broken import broken
from ._calendar import CalendarColumn, Periods
from ._columns import ABSENT, has_gaps
from ._numbers import float_error, round_to_grid
from ._relations import eliminate, kind_to_solve
from ._rounded import Options, RoundedColumn, Solution

MAX_ITERATIONS = 50  # to find a number that others hang on which it is solved from
NUDGE = 1e-6  # part of the range of a column by which its numbers are moved, to see what follows
ON_GRID = 1e-6  # part of its step by which a number that is solved for may miss it
RAW = Options(enforce_bounds=False, enforce_decimals=False)


class Unknown(NamedTuple):
    """A free column that fixed ones tell, given others: by an equation, and then by columns that are rounded.

    Or it is one of times, of which fixed columns are parts.

    An equation has a weight for each column and a constant, which sum to 0; that of the column `via` is 1.
    """

    source: int
    needs: list  # the other columns that must be known
    computed: list  # columns that are computed from these, before it can be solved
    equation: np.ndarray | None = None
    via: int = -1
    steps: tuple = ()  # pairs of a rounded column whose number is known, and a source that is solved from it
    is_circular: bool = False  # whether some of the computed columns hang on the source, too
    parts: tuple = ()  # columns that are parts of the source


class Unknowns:
    """The relations of a codec, read backwards: which free columns fixed ones tell, and what they are.

    Parameters
    ----------
    codec : Codec
    options : Options of the numbers that are found
    """

    def __init__(self, codec, options):
        self.codec, self.columns, self.options = codec, codec.columns, options
        self.periods = {}  # of times, by their column and the parts that are asked for

    def complete(self, values, fixed, exclude_missing=False):
        """Values and mask of fixed cells, with what the relations tell of them alone, and of cells that are there."""
        values, fixed = self._extended(values, fixed)
        n_fixed = -1
        while fixed.sum() > n_fixed:
            n_fixed = fixed.sum()
            for j, line in self.codec.relations():
                if isinstance(line, (RoundedColumn, CalendarColumn)):
                    told = fixed[:, line.sources].all(axis=1) & ~fixed[:, j]
                    values[told, j], fixed[told, j] = line.of(values[told], self.options.enforce_decimals), True
                if isinstance(line, CalendarColumn):  # which is missing with its times
                    (i,) = line.sources
                    gaps = fixed[:, j] & np.isnan(values[:, j]) & ~fixed[:, i]
                    values[gaps, i], fixed[gaps, i] = np.nan, True
            for lookup in self.codec.lookups:
                self._look_up(lookup, values, fixed, exclude_missing)
            for unknown, rows in self.of(fixed.copy()):
                if fixed[rows][:, unknown.needs].all():
                    solution, _ = self.solve(unknown, values[rows])
                    alone = (solution.log_size == 0) & ~solution.any_does & (not unknown.is_circular)
                    told = np.flatnonzero(rows)[alone]
                    values[told, unknown.source], fixed[told, unknown.source] = solution.x[alone], True
        return values, fixed

    def _extended(self, values, fixed):
        """Copies with the columns behind those of the table, which are fixed where those that they are of tell them.

        A number that is fixed as missing has a missing difference, or sources that are missing with it, and is computed
        from these.
        """
        extended = self.codec.extended(np.where(fixed, values, np.nan))
        chosen = ~np.isnan(extended[:, self.codec.n_columns : self.codec.n_described])
        apart = (fixed[:, [d.j, d.base]].all(axis=1) for d in self.codec.differences)
        fixed = np.column_stack([fixed, chosen, *apart])
        for difference in self.codec.differences:
            gaps = fixed[:, difference.j] & np.isnan(extended[:, difference.j])
            fixed[gaps, difference.own], fixed[gaps, difference.j] = True, False
        values = np.where(fixed, extended, np.column_stack([values, extended[:, self.codec.n_columns :]]))
        for j, line in self.codec.sums():
            missing = [i for i in line.sources if has_gaps(self.columns[i])] if has_gaps(line) else []
            gaps = np.flatnonzero(fixed[:, j] & np.isnan(values[:, j]))
            values[np.ix_(gaps, missing)], fixed[np.ix_(gaps, missing)] = np.nan, True
            fixed[gaps, j] &= not missing
        return values, fixed

    def _look_up(self, lookup, values, fixed, exclude_missing):
        """Set free cells of the rows in which a category tells them, in place; if they may be missing, on demand."""
        where, known = lookup.position(values)
        known &= fixed[:, lookup.column]
        column_of = self.codec.column_of
        gaps = lookup.gaps[:, 1]
        is_told = (lookup.told[where] != ABSENT) & (lookup.told[where] != gaps) & (exclude_missing | (gaps == ABSENT))
        follower_of = {follower.unit: follower for follower in lookup.followers}
        for i, levels, told in zip(lookup.units, lookup.told[where].T, is_told.T):
            j = column_of[i]
            rows = known & told & ~fixed[:, j]
            x = follower_of[i].told[where] if i in follower_of else self.columns[j].levels.decode(levels, None)
            values[rows, j], fixed[rows, j] = x[rows], True

    def contradicted(self, values, fixed):
        """Mask of the rows in which what is fixed contradicts relations: lines, products, or levels."""
        contradicted, known = np.zeros(len(values), dtype=bool), np.where(fixed, values, np.nan)
        for one_hot in self.codec.one_hots:
            contradicted |= one_hot.breaks(known)
        for columns, mask in broken(self.codec, values, are_asked=True):
            contradicted |= fixed[:, columns].all(axis=1) & mask
        for unknown, rows in self.of(fixed):
            is_told = unknown.parts or (unknown.steps and not unknown.is_circular)
            if is_told and fixed[rows][:, unknown.needs].all():
                solution, _ = self.solve(unknown, values[rows])
                contradicted[rows] |= np.isneginf(solution.log_size) & ~solution.any_does
        return contradicted

    def missed(self, values, given, fixed):
        """Mask of the rows in which what is computed is not what is given."""
        missed = np.zeros(len(values), dtype=bool)
        for j, line in self.codec.relations():
            is_open = fixed[:, j] & ~fixed[:, line.sources].all(axis=1)
            missed |= is_open & line.cannot_be(values, given[:, j], self.columns)
        for lookup in self.codec.lookups:
            missed |= lookup.misses(given, fixed)
        return missed

    def are_open(self, fixed):
        """Mask of the cells of lines, with free sources."""
        are_open = np.zeros_like(fixed)
        for j, line in self.codec.lines():
            are_open[:, j] = ~fixed[:, line.sources].all(axis=1)
        return are_open

    def of(self, fixed):
        """Pairs (Unknown, mask of rows) where fixed columns tell what a free one is, given others.

        No source of one is needed by another of the same rows.

        Parameters
        ----------
        fixed : mask (n, n_columns)
        """
        if not (self.codec.computed or self.codec.calendar):
            return
        patterns, pattern = np.unique(fixed, axis=0, return_inverse=True)
        for k, known in enumerate(patterns):
            for unknown in self._unknowns_of(known):
                yield unknown, pattern.ravel() == k

    def _unknowns_of(self, known):
        """Equations of `eliminate`, then rounded columns, then times, each solved for a column that no other needs."""
        found, wanted = [], []
        for equation, source in eliminate(self.codec.lines(), known, self.columns):
            if isinstance(self.columns[source], RoundedColumn):
                wanted.append((source, equation))
            else:
                found.append(self._unknown(source, known, equation, source))
        wanted += [(j, None) for j, line in self.codec.lines() if known[j] and isinstance(line, RoundedColumn)]
        for j, equation in wanted:
            taken = {i for unknown in found for i in [unknown.source, *unknown.needs]}
            ways = [self._unknown(steps[-1][1], known, equation, j, steps) for steps in self._steps(j, known, taken)]
            found += sorted(ways, key=lambda unknown: unknown.is_circular)[:1]
        taken = {i for unknown in found for i in [unknown.source, *unknown.needs]}
        for i, parts in self.codec.calendar.items():
            fixed = tuple(j for j in parts if known[j])
            if fixed and not known[i] and i not in taken:
                found.append(Unknown(i, [], [], parts=fixed))
        return found

    def _steps(self, j, known, taken):
        """Ways from a rounded column to a free one, the best first: pairs of a rounded column and a source of it."""
        free = [i for i in self.columns[j].sources if not (known[i] or i in taken)]
        for i in sorted(free, key=lambda i: (kind_to_solve(self.columns[i]), i), reverse=True):
            if i not in self.codec.computed:
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
            if i in self.codec.computed and not known[i]:
                computed.append(i)
                direct += self.columns[i].sources
            elif i not in needs:
                needs.append(i)
        computed, others = [i for i in self.codec.computed if i in computed], sorted(set(needs) - {source})
        return Unknown(source, others, computed, equation, via, steps, source in needs)

    def solve(self, unknown, values, rng=None):
        """The Solution of an unknown in rows, and by how much rounding has moved the column that its equation tells.

        Without `rng`, of several numbers that are rounded to the same those nearest to the values are taken. What is
        computed from the source itself is found by iteration, which converges where it hangs on the source by less
        than the rest does; whoever calls must look whether it has.
        """
        if unknown.parts:
            i, columns = unknown.source, list(unknown.parts)
            key = i, unknown.parts
            if key not in self.periods:
                self.periods[key] = Periods(self.columns[i], [self.codec.calendar[i][j].part for j in columns])
            return self.periods[key].solve(values[:, i], values[:, columns], rng), np.zeros(len(values))
        if not unknown.is_circular:
            return self._solve_once(unknown, values, self.options, rng)
        values, column = values.copy(), self.columns[unknown.source]
        own = values[:, unknown.source]  # a view
        own[np.isnan(own)] = (column.low + column.high) / 2
        by = NUDGE * (column.high - column.low)
        for _ in range(MAX_ITERATIONS):
            before, own[:] = own.copy(), self._solve_once(unknown, values, RAW)[0].x
            if np.allclose(own, before, rtol=0.0, atol=NUDGE * by, equal_nan=True):
                break
        exact = own.copy()
        for _ in range(2):  # the second time with what belongs to a number on its grid
            solution, miss = self._solve_once(unknown, values, self.options)
            own[:] = np.where(np.isnan(solution.x), exact, solution.x)
        own[:] = exact
        own += by
        slope = (self._solve_once(unknown, values, RAW)[0].x - exact) / by
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
            if i in self.codec.computed:
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
