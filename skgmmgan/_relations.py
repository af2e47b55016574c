"""Columns that are computed from others: straight lines and sums, which hold in every row."""

import math
from fractions import Fraction
from itertools import compress

import numpy as np
from scipy.linalg import qr, solve_triangular

from ._columns import DiscreteColumn, NumericColumn
from ._dependencies import PREVIEW, some_rows
from ._numbers import Decimals, float_error, grid_step, same_numbers

MIN_ON_LINE = 20  # different numbers that cannot lie on a straight line by chance
NEARLY = 0.9  # part of the most that a column counts for in a sum
ATOM_SHARE, ATOM_RATIO = 0.05, 5  # of the rows, and to the third number by frequency
NO_WEIGHT = 1e-9  # of a column in a sum of standardised columns
NEGLIGIBLE = 0.1  # part of the largest move of a sum that a column must have to be solved for
MAX_STEPS = 10**6  # in the smallest of some numbers, of a step that they have in common
MAX_DENOMINATOR = 1000  # of a factor, but for a power of ten


def origins(i, sources):
    """Columns that column i is computed from, directly or not; `sources` gives those of a column that are direct."""
    for source in sources(i):
        yield source
        yield from origins(source, sources)


class ComputedColumn(NumericColumn):
    """A column that others told in every row: it has no more to tell than whether they do.

    `encode` is told whether they do not, and the codec computes its numbers.
    """

    def __init__(self, x, step, sources):
        present = x[~np.isnan(x)]
        self.low, self.high = present.min(), present.max()
        self.step, self.grid = step, Decimals.of(present, step)
        self.sources = list(sources)
        self.levels = self._states(np.empty(0), np.empty(0), len(present), len(x) - len(present))
        self.agreement = DiscreteColumn(np.zeros(1))

    @property
    def is_joint(self):
        """Whether several columns tell it, so that its bounds are not theirs."""
        return len(self.sources) > 1

    def units(self, start):
        return self.agreement.units(start)

    def encode(self, x, rng):
        return self.agreement.encode(x, rng)

    def decode(self, z, codes, rng):
        return self.agreement.decode(z, codes, rng)

    def cannot_be(self, values, x, columns):
        """Mask of the rows that cannot be given out with numbers x that were asked for."""
        return self.misses(values, x)

    def features(self, x):
        """Nothing new of one column; of several it is what trees would have to compute."""
        return super().features(x) if self.is_joint else np.zeros(len(x))


class LinearColumn(ComputedColumn):
    """A column that was a linear combination of others in every row."""

    def __init__(self, x, step, sources, slopes, intercept):
        super().__init__(x, step, sources)
        self.slopes, self.intercept = np.array(slopes), intercept

    def of(self, values, enforce_decimals=True):
        """The numbers that belong to rows of the table."""
        exact = values[:, self.sources] @ self.slopes + self.intercept
        return self.grid.nearest(exact) if enforce_decimals else exact

    def misses(self, values, x):
        """Mask of the rows whose numbers x do not belong to them, with or without rounding."""
        hits = [same_numbers(self.of(values, rounded), x, self) for rounded in (True, False)]
        return ~np.logical_or(*hits)

    def round_as_parts(self, parts, x, steps):
        """Round to no coarser step than that of the sources, if rounding did not make the numbers x.

        Parameters
        ----------
        parts : numbers of the sources, (n, n_sources)
        steps : of the sources, 0 for one without
        """
        if not (self.step and all(steps)) or not same_numbers(parts @ self.slopes + self.intercept, x, self).all():
            return
        step = common_step([*(self.slopes * steps), self.intercept])
        if step > float_error(self.low, self.high, self.step) and not (step / self.step).is_integer():
            self.step, self.grid = step, Decimals.of(x, step)

    def formula(self, names):
        """How it is computed from sources of these names."""
        return sum_formula(self.slopes, names, self.intercept)

    def replace(self, source, line):
        """Have a source that is a line itself replaced by what that is a line of."""
        if source not in self.sources:
            return
        factors = dict(zip(self.sources, self.slopes))
        factor = factors.pop(source)
        for i, slope in zip(line.sources, line.slopes):
            own, new = factors.pop(i, 0.0), factor * slope
            if abs(own + new) > NO_WEIGHT * abs(new):  # or they cancel
                factors[i] = own + new
        self.intercept += factor * line.intercept
        self.sources, self.slopes = list(factors), np.array(list(factors.values()))


def sum_formula(slopes, names, intercept):
    """A linear combination as people write it: 0.5 'a' - 'b' + 3."""
    parts = [(slope, f" {name}") for slope, name in zip(slopes, names)] + [(intercept, "")] * bool(intercept)
    terms = [("-" if x < 0 else "+", f"{abs(x):.6g}" if abs(x) != 1 or not name else "", name) for x, name in parts]
    text = " ".join(f"{sign} {(number + name).strip()}" for sign, number, name in terms)
    return text.removeprefix("+ ")


def common_step(numbers):
    """The largest step that all of some numbers are multiples of, without the float error of these; 0 of zeros."""
    sizes = [abs(x) for x in numbers if x]
    if not sizes:
        return 0.0
    fractions = [Fraction(size / min(sizes)).limit_denominator(MAX_STEPS) for size in sizes]
    denominator = math.lcm(*(f.denominator for f in fractions))
    parts = math.gcd(*(int(f * denominator) for f in fractions))
    return float(f"{min(sizes) * parts / denominator:.12g}")


def find_line(sources, x):
    """A LinearColumn for x as a straight line of one of some columns, which gives the column back; or None.

    Parameters
    ----------
    sources : dict from index to NumericColumn and its numbers
    """
    values = np.unique(x[~np.isnan(x)])
    if len(values) < MIN_ON_LINE or not sources:
        return None
    step = grid_step(values)
    _, _, hold = outermost_lines(np.array([some_rows(a) for _, a in sources.values()]), some_rows(x), step)
    for i in compress(sources, hold):
        source, a = sources[i]
        line = line_through(i, source, a, x, step)
        if line is not None:
            return line
    return None


def outermost_lines(sources, x, step):
    """Slopes, intercepts and validity of the lines through the outermost points of sources, (n_sources, n), each.

    A line is valid if all points lie on it, and source and x are missing together.
    """
    together = (np.isnan(sources) == np.isnan(x)).all(axis=1)
    present, own = ~np.isnan(x), np.arange(len(sources))
    a, x = sources[:, present], x[present]
    if not x.size:
        return np.zeros(len(a)), np.zeros(len(a)), np.zeros(len(a), dtype=bool)
    low, high = a.argmin(axis=1), a.argmax(axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # constant sources
        slopes = (x[high] - x[low]) / (a[own, high] - a[own, low])
        intercepts = x[low] - slopes * a[own, low]
        miss = np.abs(slopes[:, None] * a + intercepts[:, None] - x).max(axis=1)
    bounds = np.sort([x[low], x[high]], axis=0)
    return slopes, intercepts, together & (slopes != 0) & (miss <= np.maximum(step, float_error(*bounds, step)))


def line_through(i, source, a, x, step):
    """The LinearColumn through the outermost points, if all others lie on it; else None."""
    (slope,), (intercept,), (valid,) = outermost_lines(a[None], x, step)
    if not valid:
        return None
    line = LinearColumn(x, step, [0], [slope], intercept)
    back = source.snapped((x - intercept) / slope, enforce_decimals=True)
    if line.misses(a[:, None], x).any() or not same_numbers(back, a, source).all():
        return None
    line.round_as_parts(a[:, None], x, [source.step])
    line.sources = [i]
    return line


def find_all_sums(values, numbers, derivable):
    """What `find_sums` finds, and sums of columns whose cells are missing in the same rows, and others."""
    found, groups = find_sums(values, numbers, derivable), {}
    for j in numbers:
        gaps = np.isnan(values[:, j])
        groups.setdefault(gaps.tobytes(), (gaps, []))[1].append(j)
    complete = [j for gaps, group in groups.values() if not gaps.any() for j in group if j not in found]
    for gaps, group in groups.values():
        if gaps.any() and len(group) > 1 and not gaps.all():
            columns, rows = sorted(complete + group), values[~gaps]
            for j, line in find_sums(rows, columns, derivable & set(group)).items():
                if set(line.sources) & set(group):  # that tell where it is missing
                    found[j] = LinearColumn(values[:, j], line.step, line.sources, line.slopes, line.intercept)
    return found


def find_sums(values, numbers, derivable):
    """Columns that are sums of others, each times a factor, in every row: LinearColumns by their index.

    Of the columns of a sum the one that counts for most is computed, or the last that counts for nearly as much: a
    total and not its parts, an end and not the time since the start; but none that the others would take off its grid,
    as a time of day and a time do a date, nor one with an atom, as a debit that is 0 in all rows with a credit, if
    another has none, or a smaller one.

    Parameters
    ----------
    values : (n_samples, n_columns)
    numbers : indices of the columns to consider; those with missing cells are not
    derivable : indices of those that may be computed
    """
    columns = [i for i in numbers if np.ptp(values[:, i]) > 0]  # without missing cells
    found = {}
    few = some_rows(values, max(PREVIEW, 2 * len(columns)))
    while len(columns) > 2 and len(few) >= len(columns) + MIN_ON_LINE:
        weights = vanishing_sum(few[:, columns])
        if weights is None:
            break
        size = np.abs(weights) * few[:, columns].std(axis=0)
        parts = [k for k in np.flatnonzero(weights) if columns[k] in derivable]
        parts = on_their_grids(weights, few[:, columns], parts) or parts
        atoms = {k: atom_share(few[:, columns[k]]) for k in parts}
        parts = [k for k in parts if atoms[k] < min(atoms.values(), default=0.0) + ATOM_SHARE]
        k = max((k for k in parts if size[k] > NEARLY * size[parts].max()), default=np.flatnonzero(weights)[0])
        line = sum_of(values, columns, weights, k) if parts else None
        if line is not None:
            for other in found.values():
                other.replace(columns[k], line)
            found[columns[k]] = line
        del columns[k]
    return found


def atom_share(x):
    """Share of the rows with one number, if these are many, and many more than those with most others; else 0."""
    counts = np.sort(np.unique(x, return_counts=True)[1])[::-1]
    is_atom = counts[0] > ATOM_SHARE * len(x) and counts[0] > ATOM_RATIO * counts[min(2, len(counts) - 1)]
    return counts[0] / len(x) if is_atom else 0.0


def vanishing_sum(X):
    """Weights (n_columns,) of the columns of a sum that is the same in every row; None if there is no such sum."""
    scale = np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    R, order = qr((X - X.mean(axis=0)) / scale, mode="r", pivoting=True)
    size = np.abs(np.diag(R))
    rank = int((size > NO_WEIGHT * size[0]).sum())
    if rank == len(order):
        return None
    weights = np.zeros(len(order))
    weights[order[:rank]] = solve_triangular(R[:rank, :rank], R[:rank, rank])
    weights[order[rank]] = -1.0
    return np.where(np.abs(weights) > NO_WEIGHT, weights, 0.0) / scale


def on_their_grids(weights, X, parts):
    """Those parts of a sum whose steps the others keep; none if some column of it has no step."""
    shifts = {k: abs(weights[k]) * grid_step(np.unique(X[:, k])) for k in np.flatnonzero(weights)}
    if not all(shifts.values()):
        return []
    others = {k: common_step([shift for i, shift in shifts.items() if i != k]) for k in parts}
    return [k for k in parts if others[k] > (1 - NO_WEIGHT) * shifts[k]]


def sum_of(values, columns, weights, k):
    """The LinearColumn of the k-th column, from weights of a sum that is the same in all rows; None if it is not."""
    sources = [j for j in np.flatnonzero(weights) if j != k]
    x = values[:, columns[k]]
    numbers = np.unique(x)
    if len(sources) < 2 or len(numbers) < MIN_ON_LINE:
        return None
    slopes = [nearest_fraction(-weights[j] / weights[k]) for j in sources]
    line = LinearColumn(x, grid_step(numbers), [columns[j] for j in sources], slopes, 0.0)
    intercept = float(np.median(x - line.of(values, enforce_decimals=False)))
    line.intercept = intercept if abs(intercept) > float_error(line.low, line.high, line.step) else 0.0
    if line.misses(values, x).any():
        return None
    parts = values[:, line.sources]
    line.round_as_parts(parts, x, [grid_step(np.unique(part)) for part in parts.T])
    return line


def nearest_fraction(factor):
    """The factor without the float error of its computation: a fraction times a power of ten."""
    power = Fraction(10) ** int(np.floor(np.log10(abs(factor))))
    return float((Fraction(factor) / power).limit_denominator(MAX_DENOMINATOR) * power)


def eliminate(lines, known, columns):
    """Pairs of an equation of the lines that are known, and an unknown source of its own that it is solved for.

    An equation has a weight for each column and a constant, which sum to 0; that of the source is 1.

    Parameters
    ----------
    lines : pairs of index and ComputedColumn; only LinearColumns have equations
    known : mask of the columns
    """
    lines = [(j, line) for j, line in lines if known[j] and isinstance(line, LinearColumn)]
    equations = np.zeros((len(lines), len(columns) + 1))
    for equation, (j, line) in zip(equations, lines):
        equation[line.sources], equation[-1], equation[j] = -line.slopes, -line.intercept, 1.0
    solved = []
    for k, equation in enumerate(equations):
        source = source_to_solve(np.where(known, 0.0, equation[:-1]), columns)
        if source is not None:
            equation /= equation[source]
            for other in np.delete(np.arange(len(lines)), k):
                rest = equations[other] - equations[other, source] * equation
                equations[other] = np.where(np.abs(rest) > NO_WEIGHT * np.abs(equations[other]), rest, 0.0)
            solved.append((k, source))
    return [(equations[k], source) for k, source in solved]


def source_to_solve(weights, columns):
    """Which column an equation is solved for: the last number that moves it enough, if it can be without atoms."""
    parts = np.flatnonzero(weights)
    moves = [abs(weights[i]) * (columns[i].high - columns[i].low) for i in parts]
    enough = [i for i, move in zip(parts, moves) if move >= NEGLIGIBLE * max(moves)]
    kinds = {i: kind_to_solve(columns[i]) for i in enough}
    return max((i for i, kind in kinds.items() if kind == max(kinds.values())), default=None)


def kind_to_solve(column):
    """How well a column can be solved for: 2 a number without atoms, 1 another or what is computed, 0 a level."""
    if isinstance(column, ComputedColumn):
        return 1
    return isinstance(column, NumericColumn) * (1 + (column.levels is None))
