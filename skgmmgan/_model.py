"""The density that a fit leaves behind: the generator, and the discriminators that it keeps.

p(x) = p_G(x) r(x) min(exp(sum_t alpha_t D_t(x)), M) / (Z w(c))

with r(x) = 1, or 1 / (n + 1) where a number is out of the range that it had with a level of another in all n rows, or
less than one that it never was less than, and the share w(c) of the generator's rows with the same levels c of some
columns that are within bounds and can be.
"""

import copy

import numpy as np
import torch

from ._discriminator import tilt
from ._ranges import MIN_WITHIN, worth_keeping
from ._rounded import Options
from ._strata import ALL_ROWS, find_strata, pairs_of

CHUNK = 5000  # rows that are scored at once
DRAWN = 10_000  # rows that are drawn at once
MIN_REDRAWN, MAX_REDRAWS = 50, 20  # rows at a time and times, that rows are drawn in the place of those beyond


def seeded_stream(device, rng):
    """A torch.Generator that continues the stream of a RandomState."""
    return torch.Generator(device).manual_seed(int(rng.randint(2**31 - 1)))


class Model:
    """Codec, generator and kept discriminators; no training rows.

    The generator is held in float64 on the CPU; rows are drawn by a float32 copy on the device.
    """

    def __init__(self, codec, mixture, generator, enforce_bounds, enforce_decimals, min_acceptance, device):
        self.codec = codec
        self.mixture = mixture
        self.generator = generator.double()
        self.enforce_bounds = enforce_bounds
        self.enforce_decimals = enforce_decimals
        self.min_acceptance = min_acceptance
        self.device = device
        self.kept = []  # pairs (alpha, classifier)
        self.log_cap = 0.0
        self.log_normalizer = 0.0
        self.log_normalizer_std = 0.0
        self.limits = []  # ranges of numbers in the rows of a level, and inequalities, that drawn rows must keep
        self.strata = ALL_ROWS  # in which the generator's rows are not `beyond` unlike often

    def __getstate__(self):
        """Plain values and arrays: neither a torch object nor a device."""
        generator = {"kind": type(self.generator), **self.generator.state()}
        return {**self.__dict__, "generator": generator, "device": str(self.device)}

    def __setstate__(self, state):
        """Unpickle; without the device of the fit, on the CPU."""
        self.__dict__.update(state)
        generator = state["generator"]
        self.generator = generator["kind"].restore(self.codec.units, self.mixture, generator)
        self.device = torch.device(self.device)
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError, NotImplementedError):
            self.device = torch.device("cpu")

    def keep(self, discriminators, log_cap, log_normalizer, log_normalizer_std):
        """Add pairs (alpha, classifier) to the density, with the cap and the normaliser that they bring."""
        self.kept, self.log_cap, self.log_normalizer, self.log_normalizer_std = (
            self.kept + discriminators,
            log_cap,
            log_normalizer,
            log_normalizer_std,
        )

    @property
    def options(self):
        return Options(self.enforce_bounds, self.enforce_decimals)

    def as_given(self, values):
        return self.codec.as_given(values, self.enforce_bounds, self.enforce_decimals)

    def log_tilt(self, values):
        """Sum of alpha D over the kept discriminators, before the cap, (n,)."""
        if not (self.kept and len(values)):
            return np.zeros(len(values))
        return tilt(self.kept, self.codec.features(self.as_given(values)))

    def log_prob(self, values):
        """Log-density of each row, (n,), float64: nats in the units of the values."""
        total = self.column_log_prob(values).sum(axis=1)
        return np.where(np.isnan(total), -np.inf, total)  # so far out that its square is no float

    def column_log_prob(self, values):
        """What each column given those before it adds to the log-density, and then bounds and kept discriminators.

        A number beyond a limit is held against its column.
        An array of shape (n, n_columns + 1): nats in the units of the values.
        """
        chunks = [values[i : i + CHUNK] for i in range(0, len(values), CHUNK)]
        parts = []
        for chunk in chunks:
            tilt = np.minimum(self.log_tilt(chunk), self.log_cap) - self.log_normalizer - self.log_within(chunk)
            log_prob = self._in_units(self.generator.log_prob, chunk)
            for limit, excluded in self._excluded(chunk):
                log_prob[excluded, limit.column] += self.generator.log_unseen
            parts.append(np.column_stack([log_prob, tilt]))
        return np.concatenate(parts)

    def _excluded(self, values, fixed=None):
        """Pairs of a limit, and the mask of the rows that are beyond it and no earlier one.

        Rows in which both of its columns are fixed may be.
        """
        left = np.ones(len(values), dtype=bool)
        levels = self.codec.levels_of(self.limits, values)
        for limit in self.limits:
            excluded = left & limit.excludes(values, levels)
            if fixed is not None:
                excluded &= ~fixed[:, [limit.column, limit.source]].all(axis=1)
            left &= ~excluded
            yield limit, excluded

    def log_within(self, values):
        """Log-share of the generator's rows in the same stratum that are not `beyond`, (n,)."""
        return self.strata.log_within[self._stratum(values)]

    def _stratum(self, values):
        return self.strata.of(self.codec.level_codes(self.strata.columns, values), len(values))

    def prior_log_prob(self, values):
        """Log-density of each row under the prior alone, (n,)."""
        return self._in_units(self.generator.prior_log_prob, values).sum(axis=1)

    def responsibilities(self, values):
        """Probability of each component of the prior given each row, (n, K)."""
        rows = self.codec.encode(values)
        return self.generator.prior.responsibilities(torch.as_tensor(rows.z), torch.as_tensor(rows.codes)).numpy()

    @torch.no_grad()
    def _in_units(self, log_prob, values):
        """Log-density of each column, (n, n_columns), from that of each unit in coordinates."""
        rows = self.codec.encode(values)
        in_coordinates = log_prob(torch.as_tensor(rows.z), torch.as_tensor(rows.codes)).numpy()
        return self.codec.in_units(in_coordinates, rows.log_slopes)

    def working_generator(self):
        """Float32 copy of the generator on the device."""
        return copy.deepcopy(self.generator).to(self.device, torch.float32)

    def beyond(self, values, fixed=None):
        """Mask of rows that are not given out: impossible, with a sum beyond its bounds, or beyond a limit."""
        beyond = (self.codec.beyond(values) & self.enforce_bounds) | self.codec.impossible(values)
        for _, excluded in self._excluded(values, fixed):
            beyond |= excluded
        return beyond

    def propose(self, n, rng, first=None):
        """Values of n rows of the generator alone, as they are given out and within bounds, (n, n_columns)."""
        generator = self.working_generator()
        stream = seeded_stream(self.device, rng)
        values = self._draw(generator, n, rng, stream, first)
        left = np.flatnonzero(self.beyond(values))
        for redraw in range(1, MAX_REDRAWS + 1):
            if not len(left):
                break
            n_fresh = min(max(len(left), MIN_REDRAWN) * redraw, DRAWN)
            fresh = self._draw(generator, n_fresh, rng, stream, first)
            fresh = fresh[~self.beyond(fresh)]
            wanted, own = self._stratum(values[left]), self._stratum(fresh)
            if redraw == MAX_REDRAWS:  # rather one of another stratum
                wanted, own = np.zeros_like(wanted), np.zeros_like(own)
            filled, taken = pairs_of(wanted, own)
            values[left[filled]] = fresh[taken]
            left = np.delete(left, filled)
        return values

    def _draw(self, generator, n, rng, stream, first=None):
        chunks = [min(DRAWN, n - i) for i in range(0, n, DRAWN)] or [0]
        rows = np.concatenate([self.decode(*generator.sample(m, stream, first), rng) for m in chunks])
        return rows[:, : self.codec.n_columns]

    def _probe(self, rng):
        """Values of DRAWN rows of the generator, within bounds or not."""
        return self._draw(self.working_generator(), DRAWN, rng, seeded_stream(self.device, rng))

    def learn_bounds(self, rows, rng):
        """Find what the generator's rows break and must not, from training rows; and how many of them are left."""
        self._forget_broken_lookups(rng)
        self._choose_limits(rows, rng)
        self.measure_bounds(rng)

    def _forget_broken_lookups(self, rng):
        """Leave away what categories tell, where so few rows go with it that too many would be drawn again."""
        while self.codec.lookups:
            drawn = self._probe(rng)
            if self.codec.impossible(drawn).mean() <= 1 - MIN_WITHIN:
                break
            self.codec.forget_most_broken(drawn)

    def _choose_limits(self, rows, rng):
        limits = self.codec.find_limits(rows) if self.enforce_bounds else []
        if limits:
            drawn = self._probe(rng)
            levels = self.codec.level_codes(self.codec.level_counts(), drawn)
            self.limits = []
            limits = worth_keeping(limits, levels, drawn, len(rows), ~self.beyond(drawn))
        self.limits = limits

    def measure_bounds(self, rng):
        """Find out how many of the generator's rows are given out: are possible, and within their bounds."""
        self.strata = ALL_ROWS
        may_be = self.codec.may_be_impossible(self.enforce_bounds)
        if self.limits or may_be or (self.codec.sums() and self.enforce_bounds):
            drawn = self._probe(rng)
            sizes = self.codec.level_counts()
            self.strata = find_strata(self.codec.level_codes(sizes, drawn), sizes, ~self.beyond(drawn))

    def decode(self, z, codes, rng):
        """Values of drawn coordinates and codes, as they are given out, with differences."""
        return self.as_given(self.codec.decode(z.double().cpu().numpy(), codes.cpu().numpy(), rng))

    def accepts(self, log_tilt, rng):
        """Draw the mask of the generator's rows, with these tilts, that rejection leaves, (n,)."""
        return np.log(rng.uniform(size=len(log_tilt))) < log_tilt - self.log_cap

    def sample(self, n, rng, first=None):
        """Values of n independent rows: the generator's, thinned by rejection with the kept discriminators.

        With `first`, a level of the first unit, they are rows in which it has this level.
        """
        if not self.kept:
            return self.propose(n, rng, first)
        accepted, missing = [np.empty((0, self.codec.n_columns))], n
        while missing > 0:
            proposed = self.propose(min(n_proposals(missing, self.min_acceptance), 10 * DRAWN), rng, first)
            kept = proposed[self.accepts(self.log_tilt(proposed), rng)]
            accepted.append(kept[:missing])
            missing -= len(accepted[-1])
        return np.concatenate(accepted)


def n_proposals(n, acceptance):
    """Rows of the generator of which rejection leaves n or more."""
    return int(1.1 * n / acceptance) + 20


def choose_cap(log_tilt, min_acceptance):
    """Largest log M at which at least such a share of the generator's rows with these tilts is accepted.

    The acceptance mean(min(w, M)) / M falls with M, so M is found by bisection between the least and the largest tilt.
    """
    low, high = log_tilt.min(), log_tilt.max()
    for _ in range(50):
        middle = (low + high) / 2
        enough = np.exp(np.minimum(log_tilt, middle) - middle).mean() >= min_acceptance
        low, high = (middle, high) if enough else (low, middle)
    return low


def log_mean_exp(log_weights):
    """Logarithm of the mean of exp(log_weights), and its standard error."""
    top = log_weights.max()
    weights = np.exp(log_weights - top)
    return top + np.log(weights.mean()), weights.std() / weights.mean() / np.sqrt(len(weights))
