"""How columns that are computed from others are found: what holds in every row, and is no chance."""

import math
from fractions import Fraction
from itertools import combinations, compress, groupby

import numpy as np

from ._columns import MAX_NUMBERS
from ._dependencies import MIN_REPEATS, PREVIEW, some_rows
from ._differences import (
    MAX_TIES,
    MIN_ROUNDED,
    MIN_ROWS_PER_COLUMN,
    N_ERRORS,
    is_rounded,
    n_digits,
    plainest,
    through_any,
)
from ._numbers import SINGLE, TIE, computation_error, is_single
from ._relations import MIN_ON_LINE, NEARLY, origins
from ._rounded import DOUBLE, FunctionColumn, ProductColumn, RoundedSum, function_error, on_ladder

FUNCTIONS = [(2, 0), (3, 0), (0.5, 0), (-1, 0), (0, 0), (0, 1)]  # powers, 0 for logarithms, and what is added before
BASES = (math.e, 10, 2)  # of logarithms
EXPONENTS = [(1, 1), (1, 2), (2, 1), (1, -1), (-1, 1), (1, -2), (-2, 1), (1, 1, 1)]
MAX_FACTOR_DIGITS = 5
MIN_SPREAD = 0.02  # standard deviation of what is multiplied, relative to its mean: dates have no size
MIN_MISSED = 0.05  # of the rows, if a number that another is multiplied by were always the same
FIRST_ROWS = 3  # that rule out most products
MAX_RATE_COLUMNS = 30  # among which rates and products of three are looked for
RATE_ROWS = 100  # that tell rates from other columns, ...
RATE_TOLD = 0.99  # ... by a correlation of so much; ...
MAX_TRIED = 5  # ... so many of them are tried
MAX_COLUMNS = 60  # that products are looked for among: their number grows with the cube
ROUNDED = 0.4  # standard deviation, in steps, about a sum of others that rounding explains; it makes .29, or .35
JITTER = 1e-13  # variance that keeps correlations invertible
MAX_DIGITS = 3  # of the quotient of two factors of a sum, of a rate and what it belongs to
SLACKS = (0.0, 0.001, 0.002, 0.004, 0.008)  # that are tried: a year is 365.25 days but for one or two in 800


def find_functions(values, steps, derivable):
    """Columns that are a multiple of a power or a logarithm of another in every row: RoundedColumns by their index.

    Of two that could be computed from each other the one is that tells the other, or else the later one.

    Parameters
    ----------
    values : (n_samples, n_columns)
    steps : dict from the index of a column to consider to its rounding step
    derivable : indices of those that may be computed
    """
    some = some_rows(values)
    there = ~np.isnan(some)
    numbers = [j for j in steps if tells_enough(some[there[:, j], j])]
    low, ways = {i: np.nanmin(values[:, i]) for i in numbers}, []
    arguments = [
        (i, power, added)
        for power, added in FUNCTIONS
        for i in numbers
        if low[i] + added > 0 or (power > 0 and low[i] == 0)
    ]
    for j in [j for j in numbers if j in derivable] if arguments else ():
        few = largest(some[there[:, j]], j, FIRST_ROWS)
        terms = np.column_stack([on_ladder(few[:, i] + added, power) for i, power, added in arguments])
        low_factor, high_factor = factor_bounds(terms, few[:, [j]], steps[j], 4 * SINGLE * np.abs(few[:, [j]]))
        for i, power, added in compress(arguments, low_factor <= high_factor):
            column = function_of(values, j, steps[j], i, power, added) if i != j else None
            if column is not None:
                ways.append((determinacy(column, j, values, steps), j, column))
    found = {}
    for _, j, column in sorted(ways, key=lambda way: way[:2], reverse=True):
        if j not in found and not hangs_on(column.sources, j, found):
            found[j] = column
    return found


def function_of(values, j, step, i, power, added):
    """The FunctionColumn of column j, if it is a multiple of that function of column i; else None."""
    rows = np.flatnonzero(~np.isnan(values[:, j]))
    x, terms = values[rows, j], on_ladder(values[rows, i] + added, power)
    units = [1 / math.log(base) for base in BASES] if power == 0 else [1.0]
    largest = np.abs(x).argmax()
    if terms[largest] == 0:
        return None
    error = function_error(x, power, x[largest] / terms[largest])
    for relative in (DOUBLE, 2 * SINGLE) if may_be_single(x, step) else (DOUBLE,):
        factor = plain_factor(terms, x, step, relative * error[:, None], units)
        if factor is not None:
            column = FunctionColumn(values[:, j], step, i, power, added, factor, relative)
            if not column.misses(values, values[:, j]).any() and all_count(column, values[rows], x):
                return column
    return None


def may_be_single(x, step):
    """Whether numbers may have been computed in single precision: they are, or have no more digits than that."""
    return is_single(x) if not step else step < 1 and 2 * SINGLE * np.abs(x).max() <= step


def find_products(values, steps, derivable, functions):
    """Columns that are products or quotients in every row, and the functions: RoundedColumns by their index.

    Of the columns of a product that could be computed from each other the one is that leaves the others least freedom:
    a total, and not the price, which a total by a quantity would give, too.

    Parameters
    ----------
    values : (n_samples, n_columns)
    steps : dict from the index of a column to consider to its rounding step; those with missing cells are not
    derivable : indices of those that may be computed
    functions : dict from the index of a column to the FunctionColumn that it is
    """
    there, scaled, targets = factors_and_targets(values, steps, derivable)
    if len(there) > MAX_COLUMNS or not targets:
        return functions
    sizes = (2, 3) if len(there) <= MAX_RATE_COLUMNS else (2,)
    groups = [group for n in sizes for group in combinations(scaled, n)]
    low, found, ways = {i: values[:, i].min() for i in scaled}, dict(functions), {}
    for exponents in EXPONENTS:
        possible = [group for group in groups if are_possible(group, exponents, low)]
        for j in targets:
            for group in candidates(values, j, steps[j], possible, exponents):
                column = product_of(values, j, steps[j], group, exponents)
                if column is not None:
                    way = determinacy(column, j, values, steps), j, column
                    ways.setdefault(frozenset([j, *group]), []).append(way)
    ways = [max(several, key=lambda way: way[0]) for several in ways.values()]
    for _, j, column in sorted(ways, key=lambda way: way[0], reverse=True):
        if is_new(j, column, found):
            found[j] = column
    return found


def find_rates(values, steps, derivable, products):
    """Columns that are products with a rate in every row, and the products.

    Parameters
    ----------
    products : dict from the index of a column to the RoundedColumn that it is
    """
    there, scaled, targets = factors_and_targets(values, steps, derivable)
    groups = [group for n in (1, 2) for group in combinations(scaled, n)]
    found = dict(products)
    for j in targets if len(there) <= MAX_RATE_COLUMNS else ():
        column = with_rate(values, j, steps[j], groups, there)
        if column is not None and is_new(j, column, found):
            found[j] = column
    return found


def factors_and_targets(values, steps, derivable):
    """The columns without missing cells that vary, those that may be multiplied, and those that may be products."""
    some = some_rows(values)
    there = [j for j in steps if not np.isnan(values[:, j]).any() and np.ptp(some[:, j]) > 0]
    scaled = [j for j in there if values[:, j].std() > MIN_SPREAD * abs(values[:, j].mean())]
    return there, scaled, [j for j in derivable if j in scaled and tells_enough(some[:, j])]


def tells_enough(x):
    """Whether numbers differ enough, or repeat often enough, that they are no product by chance."""
    n_numbers = len(np.unique(x))
    return n_numbers >= (MIN_ROUNDED if len(x) >= MIN_REPEATS else MIN_ON_LINE)


def determinacy(column, j, values, steps):
    """Share of the cells of a product's sources that it leaves no other number, given the others."""
    few, unique = some_rows(values), []
    for source in column.sources:
        low, high, _ = column.interval(source, few, few[:, j], column.half(few[:, j]))
        numbers, step = np.unique(few[:, source]), steps[source]
        if len(numbers) <= MAX_NUMBERS:
            ends = np.searchsorted(numbers, low - TIE * step), np.searchsorted(numbers, high + TIE * step, "right")
            n_fitting = ends[1] - ends[0]
        elif step:
            with np.errstate(invalid="ignore"):  # where all numbers fit
                n_fitting = np.floor(high / step + TIE) - np.ceil(low / step - TIE) + 1
        else:
            n_fitting = np.full(len(few), np.inf if column.step else 1)
        unique.append(np.mean(n_fitting <= 1))
    return np.mean(unique)


def is_new(j, column, found):
    """Whether a product is not told by others already: by itself, as a multiple of one, or by fewer columns."""
    if j in found or hangs_on(column.sources, j, found):
        return False
    own = exponents_of(column, found)
    products = [other for other in found.values() if isinstance(other, ProductColumn)]
    return all(own.values()) and all(own != exponents_of(other, found) for other in products)


def exponents_of(column, found):
    """Exponents of what a product is one of in the end: of pairs of a column and its rate, 0 without one."""
    total = {}
    for i, exponent, rate in zip(column.sources, column.exponents, np.nan_to_num(column.rates)):
        is_product = isinstance(found.get(i), ProductColumn) and not rate
        inner = exponents_of(found[i], found) if is_product else {(i, rate): 1}
        for key, power in inner.items():
            total[key] = total.get(key, 0) + exponent * power
    return total


def with_rate(values, j, step, pairs, rates):
    """The ProductColumn of column j with a rate: a number by which the rest of the product rises or falls; or None.

    Parameters
    ----------
    pairs : columns that may be multiplied, tuples of one, then of two
    rates : columns that may be rates
    """
    pairs, rates = [pair for pair in pairs if j not in pair], [i for i in rates if i != j]
    few = largest(values, j, RATE_ROWS)
    rates = [i for i in rates if np.ptp(few[:, i]) > 0]
    if not (pairs and rates) or len(few) < MIN_ON_LINE:
        return None
    by_size = [list(same) for _, same in groupby(pairs, len)]
    product = np.hstack([power_product(few, same, [1] * len(same[0])) for same in by_size])
    usable = (product != 0).all(axis=0)
    pairs, ratio = list(compress(pairs, usable)), few[:, [j]] / product[:, usable]
    tells = standardised(ratio).T @ standardised(few[:, rates]) / len(few)
    for where in np.argsort(-np.abs(tells), axis=None)[:MAX_TRIED]:
        k, i = np.unravel_index(where, tells.shape)
        if abs(tells[k, i]) >= RATE_TOLD and rates[i] not in pairs[k]:
            column = product_with_rate(values, j, step, pairs[k], rates[i])
            if column is not None:
                return column
    return None


def standardised(X):
    """Columns with mean 0 and variance 1; 0 where they do not vary."""
    X = X - X.mean(axis=0)
    return X / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)


def product_with_rate(values, j, step, pair, rate):
    """The ProductColumn of column j as the product of one or two columns and 1 and a multiple of a rate; or None."""
    x, product, d = values[:, j], np.prod(values[:, pair], axis=1), values[:, rate]
    A = np.column_stack([product, product * d])
    scale = np.abs(A).max(axis=0)
    if not (scale.all() and A.std(axis=0).all()):
        return None
    slopes, covariance = least_squares(A, x, scale)
    if slopes[0] == 0:
        return None
    _, ends = ratio_bounds(slopes, covariance, 0, MAX_TIES * step / A.std(axis=0))
    times = plainest(*map(Fraction, ends)) if np.isfinite(ends).all() else None
    if not times or n_digits(times) > MAX_DIGITS:
        return None
    rates = [*[np.nan] * len(pair), float(times)]
    return checked(values, j, step, [*pair, rate], [1] * len(rates), product * (1 + float(times) * d), rates)


def are_possible(group, exponents, low):
    """Whether columns can have these exponents: no division by zero, and no sign is lost.

    Parameters
    ----------
    low : dict from a column to the least of its numbers
    """
    return len(group) == len(exponents) and all(e == 1 or low[i] > 0 for i, e in zip(group, exponents))


def power_product(values, groups, exponents):
    """Products of powers of columns, (n, n_groups)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = (values[:, list(columns)] ** float(e) for columns, e in zip(zip(*groups), exponents))
        return np.prod(np.stack(list(terms)), axis=0)


def hangs_on(sources, j, found):
    """Whether one of some columns is column j, or is computed from it."""
    return any(j in (i, *origins(i, lambda i: found[i].sources if i in found else [])) for i in sources)


def candidates(values, j, step, groups, exponents):
    """The groups of columns that column j is a multiple of in a few rows, after rounding."""
    groups = [group for group in groups if j not in group]
    if not groups:
        return []
    few = largest(values, j, FIRST_ROWS)
    low, high = factor_bounds(power_product(few, groups, exponents), few[:, [j]], step)
    return list(compress(groups, low <= high))


def largest(values, j, n):
    """Of some rows, the n in which column j is largest, so that its rounding matters least."""
    few = some_rows(values)
    return few[np.abs(few[:, j]).argsort()[-n:]]


def factor_bounds(product, x, step, slack=0.0):
    """The least and the largest factor with which each product, (n, n_products), becomes x, (n, 1), after rounding."""
    half = slack + ((0.5 + TIE) * step if step else computation_error(x, step))
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort(np.array([x - half, x + half]) / product, axis=0)
    fits = np.where(np.abs(x) <= half, 1.0, -1.0) * np.inf  # where the product is 0, all factors, or none
    low = np.where(product == 0, -fits, ends[0]).max(axis=0)
    return low, np.where(product == 0, fits, ends[1]).min(axis=0)


def product_of(values, j, step, group, exponents):
    """The ProductColumn of column j, if it is one of a group of columns and all count; else None."""
    return checked(values, j, step, group, exponents, power_product(values, [group], exponents)[:, 0])


def checked(values, j, step, sources, exponents, product, rates=None):
    """The ProductColumn of column j as a multiple of a product, (n,), if it is that in all rows; else None."""
    x = values[:, j]
    factor = plain_factor(product, x, step)
    if factor is None:
        return None
    column = ProductColumn(x, step, sources, exponents, factor, rates)
    return column if not column.misses(values, x).any() and all_count(column, values, x) else None


def plain_factor(product, x, step, slack=0.0, units=(1.0,)):
    """The factor of the fewest digits, times a unit, by which a product becomes x after rounding; or None."""
    (low,), (high,) = factor_bounds(product[:, None], x[:, None], step, slack)
    if not low <= high or not np.isfinite([low, high]).all():
        return None
    factors = [(plainest(Fraction(low / unit), Fraction(high / unit)), unit) for unit in units]
    factor, unit = min(factors, key=lambda pair: n_digits(pair[0]))
    return float(factor) * unit if n_digits(factor) <= MAX_FACTOR_DIGITS else None


def all_count(column, values, x):
    """Whether numbers would be off if one of the sources of their column were always the same."""
    for i in column.sources:
        without = np.where(np.arange(values.shape[1]) == i, np.median(values[:, i]), values)
        if column.misses(without, x).mean() < MIN_MISSED:
            return False
    return True


def find_rounded_sums(values, steps, derivable, products, sums):
    """Columns that are sums of several others, each times a factor, rounded: RoundedSums by their index.

    None is a column that is a single one, rounded: the day of a time is that of its end less the time of day, too.

    Parameters
    ----------
    values : (n_samples, n_columns)
    steps : dict from the index of a column to consider to its rounding step; those with missing cells are not
    derivable : indices of those that may be computed
    products : dict from the index of a column to the RoundedColumn that it is
    sums : dict from the index of a column that is an exact sum to that
    """
    least = max(MIN_REPEATS, MIN_ROWS_PER_COLUMN * len(steps))
    few = some_rows(values, max(PREVIEW, 2 * least))
    numbers = [j for j in steps if not np.isnan(values[:, j]).any() and np.ptp(few[:, j]) > 0]
    if len(few) < least or len(numbers) < 3:
        return {}
    correlations = np.corrcoef(few[:, numbers].T) + JITTER * np.eye(len(numbers))
    left = few[:, numbers].std(axis=0) / np.sqrt(np.diag(np.linalg.inv(correlations)).clip(1.0))  # by all others
    found, all_steps = {}, steps | {j: column.step for j, column in sums.items()}
    for j, noise in zip(numbers, left):
        if j in derivable and steps[j] and noise <= ROUNDED * steps[j]:
            others = [i for i in numbers if i not in found and not hangs_on([i], j, products)]
            column = rounded_sum(values, few, j, others, steps, derivable)
            if column is not None and not is_rounded(values, few, j, all_steps):
                found[j] = column
    return found


def rounded_sum(values, few, j, others, steps, derivable):
    """The RoundedSum of column j, if it is one of several others, none of which had better be computed; else None."""
    x, step = values[:, j], steps[j]
    sources, slopes, covariance = significant(few, j, others)
    if len(sources) < 2:
        return None
    sizes, noise = np.abs(slopes) * few[:, sources].std(axis=0), (few[:, j] - few[:, sources] @ slopes).std()
    as_well = [i in derivable and noise <= ROUNDED * steps[i] * abs(slope) for i, slope in zip(sources, slopes)]
    if few[:, j].std() < NEARLY * sizes[as_well].max(initial=0.0):
        return None
    base = sizes.argmax()
    ends = ratio_bounds(slopes, covariance, base, MAX_TIES * step / few[:, sources].std(axis=0))
    ratios = [Fraction(1) if k == base else plainest(*map(Fraction, pair)) for k, pair in enumerate(ends)]
    if not all(ratios) or max(map(n_digits, ratios)) > MAX_DIGITS:
        return None
    ratios = np.array(ratios, dtype=float)
    whole, unit = values[:, sources] @ ratios, step / steps[sources[base]] if steps[sources[base]] else 1.0
    for slack in SLACKS:
        fraction = through_any(whole, x, step, unit, slack)
        if fraction:
            break
    else:
        return None
    slopes = float(fraction) * unit * ratios
    off = x - values[:, sources] @ slopes
    middle = (off.min() + off.max()) / 2
    halves = ((0.5 - TIE) * step, (TIE - 0.5) * step)  # what is cut, not rounded
    constants = (0.0, TIE * step, -TIE * step, *halves, middle)
    columns = [RoundedSum(x, step, sources, slopes, constant, slack * step) for constant in constants]
    columns = [column for column in columns if not column.misses(values, x).any()]
    wrong = [(np.abs(column.of(values) - x) > step / 2).mean() for column in columns]
    if min(wrong, default=1.0) > MAX_TIES:
        return None
    column = columns[np.argmin(wrong)]
    return column if all_count(column, values, x) else None


def ratio_bounds(slopes, covariance, base, bias):
    """Bounds of the quotients of slopes and that of the base, (n, 2), by their errors and what ties may add."""
    ratios, variances = slopes / slopes[base], np.diag(covariance)
    variances = variances + ratios**2 * variances[base] - 2 * ratios * covariance[:, base]
    off = (N_ERRORS * np.sqrt(variances.clip(0)) + bias + np.abs(ratios) * bias[base]) / abs(slopes[base])
    return np.column_stack([ratios - off, ratios + off])


def least_squares(A, x, scale):
    """Slopes of x on the columns of A, and their covariance; computed with the columns divided by a scale."""
    scaled = A / scale
    inverse = np.linalg.pinv(scaled.T @ scaled)
    slopes = inverse @ (scaled.T @ x)
    return slopes / scale, (x - scaled @ slopes).var() * inverse / np.outer(scale, scale)


def significant(X, j, others):
    """Of the columns that tell column j by least squares: those that count, their slopes, and these' covariance."""
    kept = np.array(others)
    x = X[:, j] - X[:, j].mean()
    while len(kept):
        scale = X[:, kept].std(axis=0)
        slopes, covariance = least_squares(X[:, kept] - X[:, kept].mean(axis=0), x, scale)
        with np.errstate(divide="ignore", invalid="ignore"):  # of what is exact, or nothing
            evidence = np.nan_to_num(np.abs(slopes) / np.sqrt(np.diag(covariance).clip(0)), posinf=np.inf)
        if evidence.min() > N_ERRORS:
            return kept.tolist(), slopes, covariance
        kept = np.delete(kept, evidence.argmin())  # one at a time: of columns that tell the same, one counts
    return [], np.empty(0), np.empty((0, 0))
