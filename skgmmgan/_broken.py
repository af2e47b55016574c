"""What rows break of the relations of a codec, and those in words."""

from itertools import chain

import numpy as np

from ._relations import ComputedColumn, sum_formula


def tied(codec):
    """Mask of the columns of the table that are tied to others: computed from them, or by levels."""
    are_tied = np.zeros(len(codec.columns), dtype=bool)
    for j, line in codec.relations():
        if j < codec.n_columns:
            are_tied[[j, *line.sources]] = True
    for units, _ in codec.masks():  # those of lookups among them
        are_tied[codec.column_of[units]] = True
    return are_tied[: codec.n_columns]


def broken(codec, values, are_asked=False):
    """Pairs of the columns of a relation, the one that is told first, and the mask of the rows that break it.

    What is asked for need only be as near as the decimals of a source allow. Not among them is which column is on.
    """
    values = codec.extended(values)
    for j, line in codec.relations():
        if codec.is_indicator(j) or j >= codec.n_columns:
            continue
        x = values[:, j]
        breaks = line.cannot_be(values, x, codec.columns) if are_asked else line.misses(values, x)
        yield [j, *line.sources], breaks
    masks, column_of = codec.masks(), codec.column_of.tolist()
    codes = codec.encode(values).codes.T if masks or codec.lookups else None
    for units, goes in masks:
        *others, told = units
        yield [column_of[i] for i in (told, *others)], codec.are_apart(codes, units, goes)
    for lookup in codec.lookups:
        for i, breaks in zip(lookup.units, lookup.breaks(values, codes[lookup.units].T).T):
            yield [column_of[i], lookup.column], breaks


def broken_of_table(codec, values):
    """Those of `broken` that are of columns of the table alone, as tuples, and those of which too many are on."""
    in_table = ((shown(codec, columns), mask) for columns, mask in broken(codec, values))
    sets = ((tuple(one_hot.members), one_hot.breaks(values)) for one_hot in codec.one_hots)
    return chain(sets, ((columns, mask) for columns, mask in in_table if is_of_table(codec, columns)))


def is_of_table(codec, columns):
    """Whether a relation is one of several columns of the table alone."""
    return max(columns) < codec.n_columns and len(columns) > 1


def shown(codec, columns):
    """The columns with those that are one-hot in the place of what tells which is on, and times in that of parts."""
    members = {one_hot.own: one_hot.members for one_hot in codec.one_hots}
    members |= {j: [i] for j, (i, _) in codec.hidden.items()}
    return tuple(dict.fromkeys(i for j in columns for i in members.get(j, [j])))


def broken_differences(codec, values):
    """Pairs of the columns of a difference, and the mask of the rows in which it is beyond its bounds."""
    for difference in codec.differences:
        d, column = difference.of(values), codec.columns[difference.own]
        yield (difference.j, difference.base), (d < column.low) | (d > column.high)


def broken_rules(codec, values, fixed, enforce_bounds, labels, are_plain):
    """What fixed cells break, in words; where they break nothing at once, what tells those that are computed.

    Parameters
    ----------
    labels : of the columns of the table
    are_plain : mask of those whose numbers are as they are written
    """
    told, known = {}, codec.extended(np.where(fixed, values, np.nan))
    found = [one_hot.rule(labels) for one_hot in codec.one_hots if one_hot.breaks(known).any()]
    behind = known[:, codec.n_columns :]
    values, are_known = np.column_stack([values, behind]), np.column_stack([fixed, ~np.isnan(behind)])
    for columns, mask in broken(codec, values, are_asked=True):
        in_table = shown(codec, columns)
        if is_of_table(codec, in_table):
            told[in_table] = _rule(codec, *in_table, labels=labels, are_plain=are_plain)
            if (are_known[:, columns].all(axis=1) & mask).any():
                found.append(told[in_table])
    for difference, (columns, mask) in zip(codec.differences, broken_differences(codec, values)):
        told[columns] = _rule_of(difference, labels, are_plain)
        if (fixed[:, columns].all(axis=1) & mask).any() and enforce_bounds:
            found.append(told[columns])
    asked = fixed.any(axis=0)
    return found or [rule for (j, *_), rule in told.items() if j in codec.computed and asked[j]]


def _rule(codec, j, *sources, labels, are_plain):
    line, others = codec.columns[j], [labels[i] for i in sources]
    if not isinstance(line, ComputedColumn) or codec.is_indicator(j):
        return f"{labels[j]} goes with {' and '.join(others)}"
    if are_plain[[j, *sources]].all():
        return f"{labels[j]} = {line.formula(others)}"
    return f"{labels[j]} is told by {' and '.join(others)}"


def _rule_of(difference, labels, are_plain):
    base = labels[difference.base]
    if are_plain[[difference.j, difference.base]].all():
        base = sum_formula([difference.slope], [base], 0)
    return f"{labels[difference.j]} is {base} rounded" if difference.grid else f"{labels[difference.j]} is near {base}"
