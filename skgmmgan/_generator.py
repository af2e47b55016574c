"""The generator: a masked network that modulates the mixture's own conditionals, unit by unit.

    continuous  p(z_i | x_<i) = sum_kr softmax_kr(log w_ki + a_kr) N(z_i; m_ki + b_kr s_ki, (s_ki exp c_kr)^2)
    discrete    p(x_i = v | x_<i) = softmax_v(log P_mixture(z_i in interval of v | z_<i) + t_v)

with w, m, s the mixture's conditional weights, means and standard deviations, and a, b, c, t from the network. Where
there are few components, each has several parts r. With the last layer at zero the generator is the mixture. Where one
unit's levels determine another's, v runs over the levels that go with those before it; what a date tells is certain.
"""

import math

import numpy as np
import torch
from torch import nn

from ._columns import ABSENT, ACTIVE
from ._network import MaskedNetwork, arrays_of, load_arrays
from ._prior import LOG_2PI, Prior, shrunk_shares, weighted_counts

MAX_LOG_SCALE = 5.0  # bound of c: a factor of 150
MIN_PARTS = 24  # of a number's conditional, that the mixture's components are split in
NUDGE = 0.002  # standard deviation of the network's last weights when training begins
SPREAD = 0.5  # ... and of the parts of a component, in units of its own


def modulate(log_weights, means, scales, output):
    """Log-weights, means and log-scales of a continuous unit's parts, each (..., R K), from those of components."""
    a, b, c = output.unflatten(-1, (3, -1, means.shape[-1])).unbind(-3)  # (..., R, K)
    log_weights, means, scales = (t.unsqueeze(-2) for t in (log_weights, means, scales))
    log_scales = torch.log(scales) + MAX_LOG_SCALE * torch.tanh(c / MAX_LOG_SCALE)
    weights = torch.log_softmax((log_weights + a).flatten(-2), -1)
    return weights, (means + b * scales).flatten(-2), log_scales.flatten(-2)


def mixture_log_prob(z, log_weights, means, log_scales):
    """Log-density of one-dimensional Gaussian mixtures at z, summed over the last axis."""
    e = (z[..., None] - means) * torch.exp(-log_scales)
    return torch.logsumexp(log_weights - 0.5 * (e**2 + LOG_2PI) - log_scales, -1)


def restricted(log_prob, allowed, gap=ABSENT):
    """Log-probabilities (n, V) of the levels in all of some masks, -inf for others; all levels where none is left.

    A cell is missing as often as without the masks, if it may be missing and may be there. A gap that goes with all
    masks is none that is left, if each of them has others.
    """
    if not allowed:
        return log_prob
    masks = torch.stack(allowed)
    possible = masks.all(0) & ~log_prob.isneginf()
    none = ~possible.any(1)
    if gap == ABSENT:
        return torch.where(possible | none[:, None], log_prob, -torch.inf)
    is_gap = torch.arange(log_prob.shape[1], device=log_prob.device) == gap
    none |= ~possible[:, ~is_gap].any(1) & masks[:, :, ~is_gap].any(2).all(0)
    left = torch.where(possible | none[:, None], log_prob, -torch.inf)
    there, before = left[:, ~is_gap].logsumexp(1, keepdim=True), log_prob[:, ~is_gap].logsumexp(1, keepdim=True)
    return torch.where(is_gap | there.isneginf(), left, left + before - there)


def draw_index(log_weights, generator):
    """One index a row with the given log-weights, (n,)."""
    cumulative = torch.softmax(log_weights, 1).cumsum(1)
    u = torch.rand(len(cumulative), 1, generator=generator, dtype=cumulative.dtype, device=cumulative.device)
    return (u * cumulative[:, -1:] >= cumulative[:, :-1]).sum(1)


def draw_number(log_weights, means, log_scales, generator):
    """One number a row from one-dimensional Gaussian mixtures, (n,)."""
    component = draw_index(log_weights, generator)[:, None]
    noise = torch.randn(component.shape, generator=generator, dtype=means.dtype, device=means.device)
    return (means.gather(1, component) + log_scales.gather(1, component).exp() * noise)[:, 0]


class Generator(nn.Module):
    """Autoregressive density of encoded rows.

    Parameters
    ----------
    units : list of Unit
    mixture : GaussianMixture fitted to the coordinates of the units
    n_rows : rows of the training table; an unseen level has probability 1 / (n_rows + 1)
    hidden_layer_sizes, dropout : of the network
    stream : torch.Generator of the network's initial weights
    """

    def __init__(self, units, mixture, n_rows, hidden_layer_sizes, dropout, stream):
        super().__init__()
        self.arguments = {"n_rows": n_rows, "hidden_layer_sizes": hidden_layer_sizes, "dropout": dropout}
        self.prior = Prior(mixture, units)
        n_levels = np.array([unit.n_levels for unit in units])
        n_components = len(mixture.weights_)
        n_parts = n_components * -(-MIN_PARTS // n_components)
        n_outputs = np.where(n_levels > 0, n_levels, 3 * n_parts)
        self.network = MaskedNetwork(n_levels, n_outputs, hidden_layer_sizes, dropout, stream)
        self.parents = [unit.parent for unit in units]
        self.discrete, self.continuous = self.network.discrete, self.network.continuous
        self.log_unseen = -math.log(n_rows + 1)
        self.log_seen = math.log(n_rows) + self.log_unseen
        for i in self.discrete:
            self.register_buffer(f"midpoints_{i}", torch.tensor(units[i].midpoints))
        self._register_masks(units)
        self._register_told(units)
        self.gaps = [unit.gap for unit in units]
        # and earlier units that gaps hide a unit from, and whether gaps hide what it is told, or tells
        self.hiding = [{told.others for told in unit.allowed if told.is_hidden} for unit in units]
        self.are_hidden = [bool(h) or any((i,) in others for others in self.hiding) for i, h in enumerate(self.hiding)]
        self.n_levels = n_levels[self.discrete].tolist()
        self.register_buffer("first_levels", torch.tensor(np.cumsum(self.n_levels, dtype=int) - self.n_levels))

    def _register_masks(self, units):
        """Which levels of each unit go with those of one or two earlier ones."""
        self.sources = [[told.others for told in unit.allowed] for unit in units]
        self.heirs = [[j for j, sources in enumerate(self.sources) if (i,) in sources] for i in range(len(units))]
        self.trios = [(*others, i) for i, sources in enumerate(self.sources) for others in sources if len(others) == 2]
        for i, unit in enumerate(units):
            for told in unit.allowed:
                self.register_buffer(self._mask_name(told.others, i), torch.tensor(told.goes), persistent=False)

    def _register_told(self, units):
        """Which levels numbers tell."""
        self.told = {i: unit.told.units for i, unit in enumerate(units) if unit.told is not None}
        for i in self.told:
            told = units[i].told
            for name, array in (("edges", told.edges), ("pieces", told.levels), ("states", told.by_state)):
                self.register_buffer(f"{name}_{i}", torch.tensor(array), persistent=False)
        self.register_buffer("are_told", torch.tensor([i in self.told for i in self.discrete]), persistent=False)

    n_variants = 1  # rows that one row may stand for

    def state(self):
        """Plain values and arrays, from which `restore` makes the same generator again."""
        return {"arguments": self.arguments, "weights": arrays_of(self)}

    @classmethod
    def restore(cls, units, mixture, state):
        generator = cls(units, mixture, **state["arguments"], stream=torch.Generator()).double()
        load_arrays(generator, state["weights"])
        return generator

    def calibrate(self, codes, responsibilities):
        """Make the mixture's components tell levels as they are in training rows, given as to the prior."""
        self.prior.calibrate(codes, responsibilities)

    def soften(self):
        """Have components share intervals of levels again: what goes with which, a network learns better from these."""
        self.prior.soften()

    @property
    def n_units(self):
        return len(self.parents)

    @torch.no_grad()
    def nudge(self, stream):
        """Leave the mixture by a little, unless that has happened: parts that are alike would stay alike."""
        last = self.network.last
        if last.weight.any() or last.bias.any():
            return
        noise = torch.randn(last.weight.shape, generator=stream, device=last.weight.device)
        last.weight.copy_(NUDGE * noise * last.mask)
        for i in self.continuous:
            _, b, c = last.bias[self.network.outputs[i]].view(3, -1, len(self.prior.log_weights))  # (R, K)
            if len(b) > 1:
                b.normal_(0, SPREAD, generator=stream)
                c.fill_(0.5 * math.log1p(-(SPREAD**2)))  # the variance of a component stays on average

    def _base(self, i, means, log_weights, codes):
        """Log-probability of each level before the network has its say, (n, V), up to a constant."""
        base = self.prior.level_log_prob(i, means, log_weights, self.prior.scales[i])
        return restricted(base, self._possible(i, codes), self.gaps[i] if self.are_hidden[i] else ABSENT)

    def _possible(self, i, codes):
        """Masks of the levels of a unit, (n, V), that go with those before it, for themselves and for a later one."""
        masks = [self.companions(others, i)[tuple(codes[:, k] for k in others)] for others in self.sources[i]]
        for later in self.heirs[i]:
            earlier = [source for source in self.sources[later] if len(source) == 1 and source < (i,)]
            left = [self.companions(source, later)[codes[:, source[0]]] for source in earlier]
            if left:  # levels of the later unit that are left
                masks.append(self.leading_to(later, torch.stack(left).all(0), i))
        return masks

    def leading_to(self, later, left, i):
        """Mask of the levels of unit i, (n, V), that go with any of the levels of a later unit that are left, (n, W).

        A gap that hides a dependency counts where nothing else is left.
        """
        goes, gap = self.companions((i,), later)[:-1].T, self.gaps[later]  # (W, V)
        if gap == ABSENT or (i,) not in self.hiding[later]:
            return left.float() @ goes.float() > 0
        others = torch.arange(len(goes), device=goes.device) != gap
        there = left[:, others].float() @ goes[others].float() > 0
        alone = left[:, gap, None] & ~(goes[others].any(0) & left[:, others].any(1, keepdim=True))
        return there | alone

    def companions(self, others, i):
        """Which levels of unit i go with those of earlier ones, (their levels + 1 each, V); all with an unseen one."""
        return getattr(self, self._mask_name(others, i))

    @staticmethod
    def _mask_name(others, i):
        return "_".join(map(str, ("allowed", *others, i)))

    def log_prob(self, z, codes, stream=None):
        """Log-density of each unit given those before it, (n, d): nats, in coordinates.

        An inactive unit has 0, a level that is unseen or does not go with others -log(n_rows + 1). With a
        torch.Generator, the network uses dropout.
        """
        return self._log_prob(z, codes, self.network(z, codes, stream))

    def prior_log_prob(self, z, codes):
        """The same without the network: the density of the mixture."""
        return self._log_prob(z, codes, z.new_zeros(len(z), self.network.outputs[-1].stop))

    def row_log_prob(self, z, codes, stream=None):
        """Log-density of each row, (n,): nats, in coordinates."""
        return self.log_prob(z, codes, stream).sum(1)

    def _log_prob(self, z, codes, output):
        means, log_weights = self.prior.conditionals(z, codes)  # (n, d, K)
        outputs = output.split(self.network.n_outputs, 1)
        terms = dict(zip(self.continuous, self._continuous_log_prob(z, codes, means, log_weights, outputs)))
        terms |= zip(self.discrete, self._discrete_log_prob(codes, means, log_weights, outputs))
        return torch.stack([terms[i] for i in range(self.n_units)], 1)

    def _discrete_log_prob(self, codes, means, log_weights, outputs):
        """Log-probabilities of the discrete units' levels, a list of (n,)."""
        if not self.discrete:
            return []
        with torch.no_grad():
            base = torch.cat([self._base(i, means[:, i], log_weights[:, i], codes) for i in self.discrete], 1)
        logits = base + torch.cat([outputs[i] for i in self.discrete], 1)  # (n, sum of levels)
        log_prob = torch.cat([torch.log_softmax(part, 1) for part in logits.split(self.n_levels, 1)], 1)
        codes = codes[:, self.discrete]
        seen = log_prob.gather(1, codes.clamp(min=0) + self.first_levels)
        seen = torch.where(self.are_told, 0.0, seen) + self.log_seen
        return torch.where((codes == ABSENT) | seen.isneginf(), self.log_unseen, seen).unbind(1)

    def _continuous_log_prob(self, z, codes, means, log_weights, outputs):
        """Log-densities of the continuous units, a list of (n,)."""
        if not self.continuous:
            return []
        own = self.continuous
        output = torch.stack([outputs[i] for i in own], 1)  # (n, C, 3 R K)
        components = modulate(log_weights[:, own], means[:, own], self.prior.scales[own], output)
        log_prob = mixture_log_prob(z[:, own], *components)
        absent = torch.tensor([0.0 if self.parents[i] >= 0 else self.log_unseen for i in own]).to(z)
        return torch.where(codes[:, own] == ACTIVE, log_prob, absent).unbind(1)

    @torch.no_grad()
    def sample(self, n, generator, first=None):
        """Draw n rows: coordinates (n, d) and codes (n, d). `first` is the level of the first unit, if it is given."""
        walk = self.walk(n)
        for i in range(self.n_units):
            if i == 0 and first is not None:
                walk.take_level(0, walk.codes.new_full((n,), first))
            elif i in self.discrete:
                walk.take_level(i, draw_index(walk.level_log_prob(i), generator))
            else:
                walk.take_number(i, draw_number(*walk.components(i), generator))
        return walk.z, walk.codes

    def walk(self, n):
        return GeneratorWalk(self, n)


class LabelledGenerator(Generator):
    """A generator whose first unit is a label; where it is ABSENT it is unknown, and any label may be true.

    Its parameters are those of Generator.
    """

    def __init__(self, units, *arguments, **others):
        super().__init__(units, *arguments, **others)
        self.n_variants = units[0].n_levels
        for i in self.discrete[1:]:  # log-factors of the levels in each class
            for name in ("corrections", "shared_corrections"):
                self.register_buffer(f"{name}_{i}", torch.zeros(self.n_variants, units[i].n_levels))

    def calibrate(self, codes, responsibilities):
        """Make components, and then classes, tell levels as they are in training rows."""
        self._correct("shared_corrections", codes)
        super().calibrate(codes, responsibilities)
        self._correct("corrections", codes)

    def soften(self):
        super().soften()
        for i in self.discrete[1:]:
            getattr(self, f"corrections_{i}").copy_(getattr(self, f"shared_corrections_{i}"))

    def _correct(self, name, codes):
        """Set what makes classes tell levels as they are in training rows, where components do not."""
        labels = np.eye(self.n_variants)[codes[:, 0]]
        for i in self.discrete[1:]:
            expected = torch.softmax(self._class_log_prob(i), 1).numpy()
            counts = weighted_counts(codes[:, i], expected.shape[1], labels)[:, :-1]
            getattr(self, f"{name}_{i}").copy_(torch.tensor(np.log(shrunk_shares(counts, expected) / expected)))

    def _class_log_prob(self, i):
        """Log-probability of each level of a unit in each class by the components alone, (n_classes, V)."""
        prior, labels = self.prior, torch.arange(self.n_variants)
        log_weights = prior.log_weights + prior.level_evidence(0, prior.means[0], labels)  # (C, K)
        return prior.level_log_prob(i, prior.means[i].expand_as(log_weights), log_weights, prior.margins[i])

    def _base(self, i, means, log_weights, codes):
        if i == 0:
            return torch.log(self.prior.shares_0).expand(len(codes), -1)
        return super()._base(i, means, log_weights, codes) + getattr(self, f"corrections_{i}")[codes[:, 0]]

    def row_log_prob(self, z, codes, stream=None):
        """Log-density of each row, (n,): log p(y, x), and without a label log sum_y p(y, x)."""
        unknown = codes[:, 0] == ABSENT
        if not unknown.any():
            return super().row_log_prob(z, codes, stream)
        n_labels, n_unknown = len(self.midpoints_0), int(unknown.sum())
        label = torch.arange(n_labels, device=z.device).repeat(n_unknown)
        all_codes = torch.cat([codes[~unknown], codes[unknown].repeat_interleave(n_labels, 0)])
        all_z = torch.cat([z[~unknown], z[unknown].repeat_interleave(n_labels, 0)])
        all_codes[-len(label) :, 0], all_z[-len(label) :, 0] = label, self.midpoints_0[label]
        known, joint = super().row_log_prob(all_z, all_codes, stream).split([len(z) - n_unknown, len(label)])
        log_prob = torch.empty_like(z[:, 0])
        log_prob[~unknown] = known
        log_prob[unknown] = torch.logsumexp(joint.unflatten(0, (n_unknown, n_labels)), 1)
        return log_prob


class GeneratorWalk:
    """Rows that are filled unit by unit: the distribution of each unit given those taken before."""

    def __init__(self, generator, n):
        self.generator = generator
        self.prior, self.network = generator.prior.walk(n), generator.network.walk(n)
        self.z = generator.prior.means.new_zeros(n, generator.n_units)
        self.codes = torch.full(self.z.shape, ABSENT, device=self.z.device)

    def level_log_prob(self, i):
        """Log-probability of each level of a discrete unit among those seen, (n, V)."""
        output = self.network.output(i)
        if i in self.generator.told:
            return self._certain(i, output)
        base = self.generator._base(i, *self.prior.conditional(i), self.codes)
        return torch.log_softmax(base + output, 1)

    def _certain(self, i, output):
        """Log-probability 0 of the level that a number tells, (n, V)."""
        *states, number = self.generator.told[i]
        edges, pieces, by_state = (getattr(self.generator, f"{name}_{i}") for name in ("edges", "pieces", "states"))
        level = pieces[torch.bucketize(self.z[:, number].contiguous(), edges, right=True)]
        for state in states:
            level = torch.where(self.codes[:, number] == ACTIVE, level, by_state[self.codes[:, state].clamp(min=0)])
        return torch.full_like(output, -torch.inf).scatter_(1, level[:, None], 0.0)

    def components(self, i):
        """Log-weights, means and log-scales of a continuous unit's parts, each (n, R K)."""
        means, log_weights = self.prior.conditional(i)
        return modulate(log_weights, means, self.generator.prior.scales[i], self.network.output(i))

    def is_active(self, i):
        """Mask of the rows in which a continuous unit is active, (n,)."""
        parent = self.generator.parents[i]
        return torch.ones_like(self.codes[:, i], dtype=bool) if parent < 0 else self.codes[:, parent] == ACTIVE

    def take_level(self, i, codes):
        """Set a discrete unit; ABSENT stands for an unseen level."""
        midpoints = getattr(self.generator, f"midpoints_{i}")
        self._take(i, torch.where(codes == ABSENT, 0.0, midpoints[codes]), codes)

    def take_number(self, i, z):
        """Set a continuous unit wherever it is active."""
        active = self.is_active(i)
        self._take(i, torch.where(active, z, 0.0), torch.where(active, ACTIVE, ABSENT))

    def _take(self, i, z, codes):
        self.z[:, i], self.codes[:, i] = z, codes
        self.prior.observe(i, z, codes)
        self.network.observe(i, z, codes)

    def select(self, index):
        """Keep the rows with these indices."""
        self.z, self.codes = self.z[index], self.codes[index]
        self.prior.select(index)
        self.network.select(index)
