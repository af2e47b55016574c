"""A masked network: the outputs for a unit depend on the units before it, and on no other.

Hidden units are ordered by degree, the number of units that they see [1]_; so rows can also be drawn unit by unit with
no more work than one pass. Besides its coordinate, a number has levels too: a blend of those of the two knots around it
[2]_.

References
----------
.. [1] M. Germain, K. Gregor, I. Murray and H. Larochelle, "MADE: masked autoencoder for distribution estimation",
   ICML 2015.
.. [2] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular deep learning",
   NeurIPS 2022.
"""

import numpy as np
import torch
from scipy.special import ndtri
from torch import nn
from torch.nn import functional as F

MAX_INPUT = 5.0  # the network does not see how far out a coordinate is beyond this
LEVEL_SCALE = 0.3  # standard deviation of the initial effect of a level on a hidden unit that sees one unit
KNOTS = ndtri((np.arange(16) + 0.5) / 16)  # coordinates whose levels those of a number blend
BLOCKS = 4  # of a layer's rows, at most, that leave out the inputs which none of them sees


def dropout(h, p, stream):
    """Leave out entries with probability p, drawn from a torch.Generator; None leaves all of them in."""
    if stream is None or p == 0:
        return h
    kept = torch.rand(h.shape, generator=stream, device=h.device) >= p
    return h * kept / (1 - p)


def arrays_of(module):
    """Parameters and buffers of a module by name, as arrays without torch."""
    return {name: tensor.cpu().numpy() for name, tensor in module.state_dict().items()}


def load_arrays(module, arrays):
    """Set parameters and buffers to what `arrays_of` gave."""
    module.load_state_dict({name: torch.as_tensor(array) for name, array in arrays.items()})


class BlockProduct(torch.autograd.Function):
    """x W^T + b where W is 0 where its mask is, and nothing is computed in most of that.

    Blocks are rows, and how many first inputs the first of them sees, and the last. The gradient of W is 0 where W is.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, mask, blocks):
        ctx.save_for_backward(x, weight, mask)
        ctx.blocks = blocks
        product = x.new_empty(len(x), len(weight))
        for rows, _, seen in blocks:
            torch.addmm(bias[rows], x[:, :seen], weight[rows, :seen].T, out=product[:, rows])
        return product

    @staticmethod
    def backward(ctx, grad):
        x, weight, mask = ctx.saved_tensors
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight)
        for rows, first, seen in ctx.blocks:
            if grad_x is not None:
                grad_x[:, :seen].addmm_(grad[:, rows], weight[rows, :seen])
            torch.mm(grad[:, rows].T, x[:, :seen], out=grad_weight[rows, :seen])
            grad_weight[rows, first:seen] *= mask[rows, first:seen]
        return grad_x, grad_weight, grad.sum(0), None, None


class MaskedLinear(nn.Module):
    """A linear layer whose weights are 0 where its mask is; He initialisation by the inputs kept.

    Each row of the mask keeps the first inputs, as many as the row above or more.
    """

    def __init__(self, mask, stream):
        super().__init__()
        n_seen = mask.sum(1)
        last = n_seen[np.linspace(0, len(mask) - 1, BLOCKS + 1).astype(int)[1:]]  # of each block
        ends = np.unique(np.searchsorted(n_seen, last, side="right"))
        self.blocks = [(slice(a, b), int(n_seen[a]), int(n_seen[b - 1])) for a, b in zip([0, *ends], ends)]
        self.register_buffer("mask", torch.tensor(mask, dtype=torch.float32), persistent=False)
        fan_in = torch.tensor(n_seen)[:, None].clamp(min=1)
        self.weight = nn.Parameter(self.mask * torch.randn(mask.shape, generator=stream) * (2.0 / fan_in) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(len(mask)))

    def forward(self, x):
        return BlockProduct.apply(x, self.weight, self.bias, self.mask, self.blocks)


class MaskedNetwork(nn.Module):
    """Outputs for every unit from the coordinates and the levels of the units before it.

    Parameters
    ----------
    n_levels : levels of each unit, 0 for a continuous one, (d,)
    n_outputs : outputs that each unit needs
    hidden_layer_sizes : widths; a layer as wide as the one before it adds to it
    dropout : probability with which a hidden unit is left out in training
    stream : torch.Generator of the initial weights
    """

    def __init__(self, n_levels, n_outputs, hidden_layer_sizes, dropout, stream):
        super().__init__()
        d = len(n_levels)
        unit = np.arange(1, d + 1)  # units count from 1 here
        degrees = [1 + np.arange(size) * max(d - 1, 1) // size for size in hidden_layer_sizes]
        n_rows = np.where(n_levels > 0, n_levels, len(KNOTS))  # of the table of levels
        level_unit = np.concatenate([[d + 1], np.repeat(unit, n_rows)])  # the first row stands for "no level"
        output_unit = np.repeat(unit, n_outputs)
        self.first = MaskedLinear(degrees[0][:, None] >= unit, stream)
        level_mask = torch.tensor(degrees[0] >= level_unit[:, None])
        scale = level_mask * LEVEL_SCALE / torch.tensor(degrees[0]).sqrt()  # by the units that each one sees
        self.levels = nn.Parameter(scale * torch.randn(level_mask.shape, generator=stream))
        self.hidden = nn.ModuleList(MaskedLinear(b[:, None] >= a, stream) for a, b in zip(degrees, degrees[1:]))
        self.last = MaskedLinear(output_unit[:, None] > degrees[-1], stream)
        nn.init.zeros_(self.last.weight)
        self.dropout = dropout
        self.register_buffer("level_mask", level_mask.float(), persistent=False)
        self.register_buffer("first_level", torch.tensor(1 + np.cumsum(n_rows) - n_rows))
        self.register_buffer("knots", torch.tensor(KNOTS), persistent=False)
        self.discrete = np.flatnonzero(n_levels).tolist()
        self.continuous = np.flatnonzero(n_levels == 0).tolist()
        self.n_visible = [np.searchsorted(degree, np.arange(d), side="right") for degree in degrees]
        self.n_outputs = list(n_outputs)
        starts = np.concatenate([[0], np.cumsum(n_outputs)])
        self.outputs = [slice(a, b) for a, b in zip(starts, starts[1:])]

    def level_rows(self, units, codes):
        """Rows of discrete units' levels in the table of levels; row 0 for levels that are unseen."""
        return torch.where(codes >= 0, codes + self.first_level[units], 0)

    def knot_rows(self, units, z):
        """Rows of the knots after the numbers of continuous units, each next to that before it, and their shares."""
        after = torch.bucketize(z.contiguous(), self.knots[1:-1]) + 1
        before = self.knots[after - 1]
        share = ((z - before) / (self.knots[after] - before)).clamp(0, 1)
        return after + self.first_level[units], share

    def level_effects(self, z, codes):
        """What the levels of all units add to the first hidden units, (n, width)."""
        rows = self.level_rows(self.discrete, codes[:, self.discrete])
        after, share = self.knot_rows(self.continuous, z[:, self.continuous])
        weights = torch.cat([torch.ones_like(z[:, self.discrete]), 1 - share, share], 1)
        rows = torch.cat([rows, after - 1, after], 1)
        return F.embedding_bag(rows, self.levels, mode="sum", per_sample_weights=weights)

    def forward(self, z, codes, stream=None):
        """Outputs of all units, (n, sum of n_outputs); with dropout if a torch.Generator is given."""
        levels = self.level_effects(z, codes)
        h = F.silu(self.first(z.clamp(-MAX_INPUT, MAX_INPUT)) + levels)  # (n, width)
        for layer in self.hidden:
            new = F.silu(layer(dropout(h, self.dropout, stream)))
            h = h + new if h.shape == new.shape else new
        return self.last(dropout(h, self.dropout, stream))

    def mask_gradients(self):
        """Take the gradient from the levels that a hidden unit does not see, so that they stay 0."""
        self.levels.grad *= self.level_mask

    def walk(self, n):
        return NetworkWalk(self, n)


class NetworkWalk:
    """The same outputs, one unit after the other: each step computes the hidden units that became visible."""

    def __init__(self, network, n):
        self.network = network
        self.incoming = network.first.bias[None].repeat(n, 1)  # (n, width)
        self.first = network.first.weight.T.contiguous()
        self.weights = [layer.weight.T.contiguous() for layer in [*network.hidden, network.last]]
        self.biases = [layer.bias for layer in [*network.hidden, network.last]]
        self.h = [self.incoming.new_zeros(n, len(layer.bias)) for layer in [network.first, *network.hidden]]

    def _advance(self, layer, i):
        """Compute the hidden units of a layer that see unit i - 1 and none later."""
        visible = self.network.n_visible[layer]
        new = slice(visible[i - 1], visible[i])
        if layer == 0:
            self.h[0][:, new] = F.silu(self.incoming[:, new])
            return
        below, weight = self.h[layer - 1], self.weights[layer - 1]
        seen = self.network.n_visible[layer - 1][i]
        h = F.silu(torch.addmm(self.biases[layer - 1][new], below[:, :seen], weight[:seen, new]))
        self.h[layer][:, new] = h + below[:, new] if below.shape == self.h[layer].shape else h

    def output(self, i):
        """Outputs of unit i, (n, n_outputs[i])."""
        columns = self.network.outputs[i]
        if i == 0:
            return self.biases[-1][columns].expand(len(self.incoming), -1)
        for layer in range(len(self.h)):
            self._advance(layer, i)
        seen = self.network.n_visible[-1][i]
        return torch.addmm(self.biases[-1][columns], self.h[-1][:, :seen], self.weights[-1][:seen, columns])

    def observe(self, i, z, codes):
        later = slice(self.network.n_visible[0][i], None)  # hidden units that see unit i
        self.incoming[:, later].addr_(z.clamp(-MAX_INPUT, MAX_INPUT), self.first[i, later])
        if i in self.network.discrete:
            self.incoming[:, later] += self.network.levels[self.network.level_rows(i, codes), later]
        else:
            after, share = self.network.knot_rows(i, z)
            effects = self.network.levels[:, later]
            self.incoming[:, later] += torch.lerp(effects[after - 1], effects[after], share[:, None])

    def select(self, index):
        """Keep the rows with these indices."""
        self.incoming, self.h = self.incoming[index], [h[index] for h in self.h]
