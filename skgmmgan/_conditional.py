"""Rows given some of their cells, by sequential importance resampling.

Particles are filled unit by unit. A given unit multiplies the weight of a particle by its conditional probability, the
kept discriminators do so at the end, and particles are resampled in proportion to their weights [1]_. Given leading
columns alone this is the model's own order; otherwise it converges as the number of particles grows.

References
----------
.. [1] N. J. Gordon, D. J. Salmond and A. F. M. Smith, "Novel approach to nonlinear/non-Gaussian Bayesian state
   estimation", IEE Proceedings F 140, 1993.
"""

import warnings
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax

from ._columns import ABSENT, ACTIVE, draw_margin, log_margin
from ._containers import is_missing
from ._generator import draw_index, draw_number, mixture_log_prob, restricted
from ._model import seeded_stream
from ._unknowns import Unknowns

DRAWS_PER_POOL = 500  # rows that share a pool of particles
PARTICLES_PER_DRAW = (2, 6, 24, 96)  # tried in turn, until the effective sample size is large enough
MIN_PARTICLES = (32, 32, 256, 2048)
IMPUTATION_STAGES = 3  # of these; rows to fill are many, and some of them always unlikely
MIN_EFFECTIVE = 5  # ... or as many as there are rows to draw
MAX_PARTICLES = 50_000  # that are filled at once
MAX_Z = 1e6  # a number farther out than so many standard deviations counts as one there
MAX_WHERE_FACTOR = 100  # rows drawn for each row that `where` must keep
MIN_WHERE_ROWS = 10_000
MAX_RULES = 3  # that a warning tells


class Given(NamedTuple):
    """What is known of m rows: values (m, n_columns), and a mask of those that are fixed; the others are free."""

    values: np.ndarray
    fixed: np.ndarray
    exclude_missing: bool = False  # whether a free cell must not be missing

    def take(self, index):
        return self._replace(values=self.values[index], fixed=self.fixed[index])


def draw_given(model, given, n, rng):
    """Values of n rows for each row that is given, (m, n, n_columns), and their effective sample sizes, (m,).

    The size is 0 where what is given contradicts a relation between columns.
    """
    codec, unknowns = model.codec, Unknowns(model.codec, model.options)
    values, fixed = unknowns.complete(given.values, given.fixed, given.exclude_missing)
    told = fixed.copy()
    told[:, : codec.n_columns] &= ~given.fixed
    failed = (~codec.allows(values, told, model.enforce_bounds)).any(axis=1) | unknowns.contradicted(values, fixed)
    given = given._replace(values=values, fixed=fixed)
    size = min(n, DRAWS_PER_POOL)
    n_pools = -(-n // size)
    groups = given.take(np.repeat(np.arange(len(given.values)), n_pools))
    drawn, effective = _draw_pools(model, unknowns, groups, size, rng)
    effective = np.where(failed, 0.0, effective.reshape(-1, n_pools).sum(axis=1))
    drawn = drawn.reshape(len(effective), n_pools * size, -1)
    order = rng.uniform(size=drawn.shape[:2]).argsort(axis=1)  # relatives lie side by side
    return np.take_along_axis(drawn, order[:, :n, None], axis=1)[:, :, : codec.n_columns], effective


def _draw_pools(model, unknowns, given, n, rng):
    """Rows (m, n, n_columns) and effective sample sizes (m,), from pools that grow where they must."""
    m, n_columns = given.values.shape
    drawn, effective = np.empty((m, n, n_columns)), np.zeros(m)
    todo = np.arange(m)
    generator = model.working_generator()
    stream = seeded_stream(model.device, rng)
    stages = slice(1 if model.kept else 0, IMPUTATION_STAGES if given.exclude_missing else None)
    for per_draw, least in zip(PARTICLES_PER_DRAW[stages], MIN_PARTICLES[stages]):
        size = max(per_draw * n, least)
        step = max(1, MAX_PARTICLES // size)
        for chunk in (todo[i : i + step] for i in range(0, len(todo), step)):
            pool = Pool(model, unknowns, generator, given.take(chunk), size, rng, stream)
            drawn[chunk], effective[chunk] = pool.draw(n)
        todo = todo[effective[todo] < max(n, MIN_EFFECTIVE)]
    return drawn, effective


class Pool:
    """Particles of m given rows, `size` for each."""

    def __init__(self, model, unknowns, generator, given, size, rng, stream):
        self.model, self.unknowns, self.given = model, unknowns, given
        self.size, self.rng, self.stream = size, rng, stream
        self.m = len(given.values)
        self.wanted = list(self.unknowns.of(given.fixed))
        self.ahead = {}  # by column, numbers drawn before their turn, NaN for the other particles
        self.failed = np.zeros(self.m, dtype=bool)  # whether no number of a line can be had
        self.log_weights = np.zeros((self.m, size))
        self.ancestors = np.tile(np.arange(size), (self.m, 1))
        self.walk = generator.walk(self.m * size)
        with torch.no_grad():
            self._fill()

    def _fill(self):
        codec, device = self.model.codec, self.model.device
        rows = codec.encode(self.given.values)
        fixed = self.given.fixed & ~self.unknowns.are_open(self.given.fixed)  # those will be on their lines
        fixed = torch.as_tensor(codec.unit_mask(fixed), device=device)
        z = torch.as_tensor(rows.z, dtype=torch.float32, device=device).clamp(-MAX_Z, MAX_Z)
        codes = torch.as_tensor(rows.codes, device=device)
        missing = codec.missing_levels() if self.given.exclude_missing else np.full(len(codec.units), ABSENT)
        for nth, j in enumerate(codec.order):
            units = codec.slices[j]
            known = [t[:, units].repeat_interleave(self.size, 0) for t in (fixed, z, codes)]
            gain = self._solve(j, codec.order[nth + 1 :], *known)
            for i, f, known_z, level in zip(range(units.start, units.stop), *(t.T for t in known)):
                n_levels = codec.units[i].n_levels
                if n_levels:
                    excluded = missing[i] if n_levels > 1 else ABSENT
                    gain += self._fill_level(i, f, level, self._possible(i, fixed, codes), excluded)
                else:
                    gain += self._fill_number(i, f, known_z)
            self._weigh(gain)

    def _with_given(self, values):
        """Values of the particles, (m size, n_columns), with those that are given."""
        known, fixed = (np.repeat(a, self.size, axis=0) for a in (self.given.values, self.given.fixed))
        return np.where(fixed, known, values)

    def _values(self):
        """What the particles hold so far, or are given, (m size, n_columns)."""
        values = self._with_given(self.model.decode(self.walk.z, self.walk.codes, self.rng))
        for k, x in self.ahead.items():
            values[:, k] = np.where(np.isnan(x), values[:, k], x)
        return values

    def _solve(self, j, later, fixed, z, codes):
        """Set in place what is told of column j, before the later ones; returns the gain of log-weights, (m size,)."""
        column, gain = self.model.codec.columns[j], np.zeros(len(z))
        if j in self.ahead:
            drawn = np.flatnonzero(~np.isnan(self.ahead[j]))
            rows = column.encode(self.ahead[j][drawn], None)
            self._set(rows, drawn, fixed, z, codes)
            margin = log_margin(column, *rows[:2])  # -inf of a number that was made up and cannot be
            gain[drawn] = np.where(np.isneginf(margin), margin, -margin)
        for unknown, groups in self.wanted:
            if unknown.source == j:
                where = np.flatnonzero(np.repeat(groups, self.size))
                self._draw_ahead([k for k in unknown.needs if k in later], where)
                values = self._values()[where]
                solution, miss = self.unknowns.solve(unknown, values, self.rng)
                possible = self._make_up(unknown.equation, j, where, miss)
                possible &= column.allows(solution.x, self.model.enforce_bounds) & ~np.isnan(solution.x)
                told = ~solution.any_does
                where, x = where[told], solution.x[told]
                encoded = column.encode(x, None)
                self._set(encoded, where, fixed, z, codes)
                size = encoded[2] + column.log_cell(encoded[1]) + solution.log_size[told]
                gain[where] = np.where(possible[told], size, -np.inf)
                self.failed |= np.isneginf(gain).reshape(self.m, self.size).all(axis=1)
        return torch.as_tensor(gain, dtype=z.dtype, device=z.device)

    def _make_up(self, equation, j, where, miss):
        """Mask of the particles whose solved numbers miss nothing, or nothing that a later difference cannot be."""
        for k in range(max(j + 1, self.model.codec.n_columns), self.given.values.shape[1]):
            if equation is not None and equation[k] and k in self.ahead and not np.isnan(self.ahead[k][where]).any():
                column, d = self.model.codec.columns[k], self.ahead[k][where]
                d = np.where(miss == 0, d, column.snapped(d - miss / equation[k], self.model.enforce_decimals))
                self.ahead[k][where] = d
                return column.allows(d, True)
        return miss == 0

    def _draw_ahead(self, columns, where):
        """Draw free columns that come later from their margins, for some particles."""
        as_given = self.model.enforce_bounds, self.model.enforce_decimals
        for k in columns:
            free = where[~self.given.fixed[where // self.size, k]]
            if len(free):
                x = self.ahead.setdefault(k, np.full(len(self.walk.z), np.nan))
                free = free[np.isnan(x[free])]
                column = self.model.codec.columns[k]
                x[free] = column.as_given(draw_margin(column, len(free), self.rng), *as_given)

    @staticmethod
    def _set(encoded, where, fixed, z, codes):
        fixed[where] = True
        z[where] = torch.as_tensor(encoded[0], dtype=z.dtype, device=z.device).clamp(-MAX_Z, MAX_Z)
        codes[where] = torch.as_tensor(encoded[1], device=z.device)

    def _possible(self, i, fixed, codes):
        """Masks of the levels of a unit, (m size, V), that go with later ones that are known, or are left by these."""
        generator, codec, masks = self.walk.generator, self.model.codec, []
        for later in generator.heirs[i]:
            goes = generator.leading_to(later, self._left(later, fixed, codes), i)
            masks.append(goes.repeat_interleave(self.size, 0))
        masks += [self._with_known(i, trio, fixed, codes) for trio in generator.trios if i in trio[:2]]
        masks += [self._chosen(one_hot) for one_hot in codec.one_hots if codec.slices[one_hot.own].start == i]
        masks += [self._looked_up(i, lookup) for lookup in codec.lookups if i in lookup.units]
        return masks

    def _chosen(self, one_hot):
        """Mask of the levels of what says which column is on, (m size, V), that go with those that are given."""
        unit = self.model.codec.units[self.model.codec.slices[one_hot.own].start]
        which = self.model.codec.columns[one_hot.own].levels.decode(np.arange(unit.n_levels), None).astype(int)
        goes = one_hot.possible(self.given.values, self.given.fixed)[:, which]
        return torch.as_tensor(np.repeat(goes, self.size, axis=0), device=self.model.device)

    def _looked_up(self, i, lookup):
        """Mask of the levels of a unit, (m size, V), that a category tells, if it is given."""
        where, known = lookup.position(self.given.values)
        told = lookup.told[where, lookup.units.index(i)]
        gap = lookup.gaps[lookup.units.index(i), 1]
        levels = np.arange(self.model.codec.units[i].n_levels)
        goes = (levels == told[:, None]) | (levels == gap)
        goes |= ~(known & self.given.fixed[:, lookup.column] & (told != ABSENT))[:, None]
        return torch.as_tensor(np.repeat(goes, self.size, axis=0), device=self.model.device)

    def _with_known(self, i, trio, fixed, codes):
        """Mask of the levels of one of two units, (m size, V), that go with the known level that these tell."""
        *pair, told = trio
        goes = self.walk.generator.companions(pair, told)
        goes = torch.cat([goes, torch.ones_like(goes[:, :, :1])], 2)  # the last stands for an unknown level
        levels, other = torch.where(fixed, codes, ABSENT).repeat_interleave(self.size, 0), pair[i == pair[0]]
        goes = goes.movedim(pair.index(i), 2)[:, :, :-1]  # (levels of the other, those told, V)
        given = torch.where(fixed[:, other].repeat_interleave(self.size), levels[:, other], self.walk.codes[:, other])
        some, own = goes[:-1].any(0)[levels[:, told]], goes[given, levels[:, told]]
        return torch.where((given == ABSENT)[:, None], some, own)

    def _left(self, i, fixed, codes):
        """Mask of the levels of a unit, (m, V): the known one, or those that go with what is known of its heirs."""
        known = (fixed[:, i] & (codes[:, i] != ABSENT))[:, None]
        levels = torch.arange(self.model.codec.units[i].n_levels, device=codes.device)
        left = ~known | (codes[:, i, None] == levels)
        for later in self.walk.generator.heirs[i]:
            goes = self.walk.generator.companions((i,), later)[:-1].T[codes[:, later]]
            left &= known | goes | (~fixed[:, later] | (codes[:, later] == ABSENT))[:, None]
        return left

    def _fill_level(self, i, fixed, known, possible, excluded):
        """Take a discrete unit; returns the log-probability of what is asked of it, (m size,)."""
        log_prob = self.walk.level_log_prob(i)
        free = log_prob.clone()
        for mask in possible:
            free[~mask] = -torch.inf
        if excluded != ABSENT:
            free[:, excluded] = -torch.inf
        gain = torch.logsumexp(free, 1)
        is_excluded = torch.arange(free.shape[1], device=free.device) == excluded
        even = torch.where(is_excluded, -torch.inf, torch.zeros_like(free))
        free = torch.where(gain.isneginf()[:, None], restricted(even, possible), free)  # nothing goes with earlier ones
        self.walk.take_level(i, torch.where(fixed, known, draw_index(free, self.stream)))
        asked = log_prob.gather(1, known.clamp(min=0)[:, None])[:, 0]
        return torch.where(fixed, torch.where(known == ABSENT, 0.0, asked), gain)

    def _fill_number(self, i, fixed, known):
        """Take a continuous unit; returns the log-density of what is asked of it, (m size,)."""
        components = self.walk.components(i)
        self.walk.take_number(i, torch.where(fixed, known, draw_number(*components, self.stream)))
        asked = fixed & (self.walk.codes[:, i] == ACTIVE)
        return torch.where(asked, mixture_log_prob(known, *components), 0.0)

    def _weigh(self, gain):
        """Multiply the weights, and resample where half of the particles do not matter any more."""
        weighed = self.log_weights + gain.double().cpu().numpy().reshape(self.m, self.size)
        hopeless = np.isneginf(weighed).all(axis=1, keepdims=True)  # what is asked goes with no particle
        self.log_weights = np.where(hopeless, self.log_weights, weighed)
        poor = np.flatnonzero(effective_size(self.log_weights) < self.size / 2)
        if not len(poor):
            return
        index = np.tile(np.arange(self.size), (self.m, 1))
        index[poor] = systematic(self.log_weights[poor], self.size, self.rng)
        self.log_weights[poor] = 0.0
        self.ancestors = np.take_along_axis(self.ancestors, index, axis=1)
        rows = index + self.size * np.arange(self.m)[:, None]
        self.ahead = {k: x[rows.ravel()] for k, x in self.ahead.items()}
        self.walk.select(torch.as_tensor(rows.ravel(), device=self.walk.z.device))

    def draw(self, n):
        """n rows for each given row, (m, n, n_columns), and the effective sample size, (m,)."""
        codec, values = self.model.codec, self._values()
        for unknown, groups in self.wanted:
            where = np.flatnonzero(np.repeat(groups, self.size))
            solution, _ = self.unknowns.solve(unknown, values[where])
            told = ~(solution.any_does | np.isnan(solution.x))
            values[where[told], unknown.source] = solution.x[told]
        fixed = np.repeat(self.given.fixed, self.size, axis=0)
        for lookup in codec.lookups:
            lookup.draw_given(values, self.walk.codes.cpu().numpy(), fixed, self.rng)
        codec.fill_lines(values, self.model.enforce_decimals)
        given = self._with_given(values)  # also what is off its line
        missed = self.unknowns.missed(values, given, fixed)
        values = given
        tilt = np.minimum(self.model.log_tilt(values), self.model.log_cap) - self.model.log_within(values)
        beyond = (missed | self.model.beyond(values, fixed)).reshape(self.m, self.size)
        plain = self.log_weights + tilt.reshape(self.m, self.size)
        plain = np.where(np.isneginf(plain).all(axis=1, keepdims=True), 0.0, plain)
        log_weights = np.where(beyond, -np.inf, plain)
        hopeless = np.isneginf(log_weights).all(axis=1, keepdims=True)
        self.failed |= hopeless[:, 0]
        log_weights = np.where(hopeless, plain, log_weights)
        chosen = systematic(log_weights, n, self.rng)
        values = codec.finite(values).reshape(self.m, self.size, -1)
        effective = np.where(self.failed, 0.0, effective_size(log_weights, self.ancestors))
        return np.take_along_axis(values, chosen[:, :, None], axis=1), effective


def effective_size(log_weights, ancestors=None):
    """Effective sample size (sum w)^2 / sum w^2 of each row, (m,), with the weights of common ancestors added up."""
    weights = softmax(log_weights, axis=1)
    if ancestors is not None:
        m, size = weights.shape
        slot = ancestors + size * np.arange(m)[:, None]
        weights = np.bincount(slot.ravel(), weights.ravel(), minlength=m * size).reshape(m, size)
    return 1 / (weights**2).sum(axis=1)


def systematic(log_weights, n, rng):
    """Systematic resampling: n positions in each row, in proportion to the weights, (m, n)."""
    m, size = log_weights.shape
    cumulative = softmax(log_weights, axis=1).cumsum(axis=1) / (1 + 1e-12)
    points = (np.arange(n) + rng.uniform(size=(m, 1))) / n
    offset = np.arange(m)[:, None]
    index = np.searchsorted((cumulative + offset).ravel(), (points + offset).ravel(), side="right").reshape(m, n)
    return np.minimum(index - size * offset, size - 1)


def warn_of_unlikely(effective, n, tied, rules):
    """One warning if some of the conditions rest on too few particles for n rows, and one if some contradict relations.

    Parameters
    ----------
    tied : labels of the fixed columns that are tied to others
    rules : what they break, or may break, in words
    """
    impossible = effective == 0
    few = (effective < max(n, MIN_EFFECTIVE)) & ~impossible
    if impossible.any():
        more = f"; and {len(rules) - MAX_RULES} others" if len(rules) > MAX_RULES else ""
        told = f" ({'; '.join(rules[:MAX_RULES])}{more})" if rules else ""
        warnings.warn(
            f"{impossible.sum()} of {len(few)} rows of conditions contradict what held in every row at fit{told}, or "
            f"its bounds, or nothing was found that meets both, in the columns {', '.join(tied)}; the rows break it, "
            "and may repeat. Fix fewer of them, or ask for a range by where.",
            UserWarning,
            stacklevel=4,
        )
    if few.any():
        warnings.warn(
            f"{few.sum()} of {len(few)} rows of conditions are so unlikely that {n} rows rest on an effective sample "
            f"size of {effective[few].min():.1f} at worst, less than {max(n, MIN_EFFECTIVE)}, so that rows may repeat. "
            "Fix fewer columns, or move fixed columns to the front of the table.",
            UserWarning,
            stacklevel=4,
        )


def draw_where(draw, where, n, n_groups):
    """n rows of each group that `where` keeps, (n_groups n, n_columns); those that it refuses are drawn again.

    Parameters
    ----------
    draw : callable (n, indices of groups) -> values of n rows for each of them
    where : callable (values) -> flags
    """
    found, n_drawn, n_kept, size = {}, 0, 0, 2 * n + 10
    pending = list(range(n_groups))
    while pending:
        if n_drawn > max(MAX_WHERE_FACTOR * n * n_groups, MIN_WHERE_ROWS):
            likelier = "Ask for what is likelier, in values that the columns hold (True and not 'True'), or fix"
            remedy = "Ask for less, or fix" if n_kept else likelier
            raise ValueError(
                f"where= kept {n_kept} of {n_drawn} rows ({n_kept / n_drawn:.2%}), too few for the {n} asked for. "
                f"{remedy} columns by conditions=."
            )
        values = draw(size, pending)
        kept = booleans(where(values), len(values))
        for group, rows, keep in zip(pending, np.split(values, len(pending)), np.split(kept, len(pending))):
            found[group] = np.concatenate([found[group], rows[keep]] if group in found else [rows[keep]])[:n]
        n_drawn, n_kept = n_drawn + len(kept), n_kept + kept.sum()
        pending, size = [group for group in pending if len(found[group]) < n], 2 * size
    return np.concatenate([found[group] for group in range(n_groups)])


def booleans(flags, n):
    """An array of n booleans from whatever `where` returned; missing ones are False."""
    if not hasattr(flags, "__len__"):
        raise TypeError(f"where= must return {n} booleans, got {flags!r}.")
    if hasattr(flags, "sort_index"):  # pandas' flags belong to the rows of their index
        flags = flags.sort_index()
        if list(flags.index) != list(range(n)):
            raise TypeError("where= must return booleans with the index of the table that it gets.")
    flags = list(flags)
    missing = [is_missing(flag) for flag in flags]
    if len(flags) != n or not all(gap or isinstance(f, (bool, np.bool_)) for f, gap in zip(flags, missing)):
        raise TypeError(f"where= must return {n} booleans, one for each row of the table that it gets.")
    return np.array([not gap and bool(flag) for flag, gap in zip(flags, missing)], dtype=bool)
