"""Which levels of a unit go with those of earlier ones: only what occurs together is drawn together."""

from dataclasses import replace

import numpy as np

from ._columns import ABSENT, Companions
from ._dependencies import dependency, gap_dependency, hidden_dependency, never_together, opened, together, with_all
from ._pairs import goes_together


def restricted_units(units, codes, lookups, trios, base_gaps, has_label):
    """The units with the levels that go with those of earlier ones, where they determine or rule out each other.

    Parameters
    ----------
    units : list of Unit
    codes : levels of all units in training rows, (n_samples, d)
    lookups : list of Lookup
    trios : three units each, of which the first two together tell the last
    base_gaps : as `Codec.base_gaps`
    has_label : whether the first unit is a class label, which is left to the classifier
    """
    units, open_gaps = list(units), _open_gaps(lookups)
    sources = []  # of several units that tell the same, the first
    for j, unit in enumerate(units):
        if unit.n_levels < 2 or (has_label and j == 0):
            continue
        if unit.told is None:
            pairs = {i: (codes[:, i], codes[:, j], (units[i].n_levels, unit.n_levels)) for i in sources}
            allowed = _determined(j, pairs, units, open_gaps)
            twins = [told for told in allowed if _is_one_to_one(told.goes)]
            if twins:
                units[j] = replace(unit, allowed=(twins[0],))
                continue
            left = {i: pair for i, pair in pairs.items() if (i,) not in {told.others for told in allowed}}
            for i, pair in left.items():
                masks = never_together(*pair), gap_dependency(*pair, (units[i].gap, unit.gap))
                masks = [goes for goes in masks if goes is not None]
                allowed += [Companions((i,), np.logical_and.reduce(masks))] if masks else []
            units[j] = replace(unit, allowed=tuple(allowed))
        sources.append(j)
    for trio in trios:
        *pair, j = trio
        n_levels, gaps = zip(*((units[i].n_levels, units[i].gap) for i in trio))
        goes = goes_together(*codes[:, trio].T, n_levels, gaps)
        is_hidden = units[j].gap != ABSENT and bool(goes[:, :, units[j].gap].all())
        units[j] = replace(units[j], allowed=(*units[j].allowed, Companions(tuple(pair), goes, is_hidden)))
    for source, gap, own, own_gap in base_gaps:
        if own_gap != ABSENT:
            goes = np.ones((units[source].n_levels + 1, units[own.start].n_levels), dtype=bool)
            goes[gap] = np.arange(goes.shape[1]) == own_gap
            others = (told for told in units[own.start].allowed if told.others != (source,))
            units[own.start] = replace(units[own.start], allowed=(*others, Companions((source,), goes)))
    return units


def _open_gaps(lookups):
    """By pairs of units of which a category's tells the other, the levels of both that go with everything."""
    found = {}
    for lookup in lookups:
        for i, gaps in zip(lookup.units, lookup.gaps):
            found[frozenset((lookup.own, i))] = {lookup.own: gaps[0], i: gaps[1]}
    return found


def _determined(j, pairs, units, open_gaps):
    """The Companions of unit j and each earlier unit that determines it or is determined by it, a list."""
    found = []
    for i, pair in pairs.items():
        gaps = open_gaps.get(frozenset((i, j)))
        if gaps is not None:
            counts = together(*pair)
            goes = opened(with_all(counts > 0), (gaps[i], gaps[j]), counts)
            is_hidden = bool(max(gaps.values()) != ABSENT)
        else:
            goes = dependency(*pair)
            is_hidden = goes is None
            if is_hidden:
                goes = hidden_dependency(*pair, (units[i].gap, units[j].gap))
        if goes is not None:
            found.append(Companions((i,), goes, is_hidden))
    return found


def _is_one_to_one(goes):
    """Whether each level goes with one of the other unit at most."""
    return (goes[:-1].sum(axis=0) <= 1).all() and (goes[:-1].sum(axis=1) <= 1).all()
