import itertools

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from skgmmgan._columns import ABSENT, ACTIVE, Unit
from skgmmgan._generator import SPREAD, Generator
from skgmmgan._network import KNOTS, BlockProduct

UNITS = [
    Unit(),
    Unit(np.array([0.5, 0.3, 0.2])),
    Unit(np.array([0.6, 0.4])),
    Unit(parent=2),
    Unit(np.array([0.2, 0.8])),
]


def make_generator(units, rng, trained=True, n_components=3):
    mixture = GaussianMixture(n_components, random_state=0).fit(rng.normal(size=(200, len(units))))
    generator = Generator(units, mixture, 99, (16, 16), 0.0, torch.Generator().manual_seed(0)).double()
    if trained:
        for parameter in generator.network.last.parameters():
            noise = np.random.RandomState(1).normal(0, 0.3, parameter.shape)
            parameter.data.copy_(torch.as_tensor(noise))
        generator.network.last.weight.data *= generator.network.last.mask
    return generator


@pytest.fixture
def generator(rng):
    return make_generator(UNITS, rng)


def test_outputs_ignore_units_that_do_not_come_before(generator):
    z, codes = generator.sample(3, torch.Generator().manual_seed(0))
    z.requires_grad_()
    out = generator.network(z, codes)
    for i, columns in enumerate(generator.network.outputs):
        (gradient,) = torch.autograd.grad(out[:, columns].sum(), z, retain_graph=True)
        assert (gradient[:, i:] == 0).all()
        assert i == 0 or (gradient[:, :i] != 0).any()


def test_outputs_ignore_levels_that_do_not_come_before(generator):
    z, codes = generator.sample(50, torch.Generator().manual_seed(0))
    out = generator.network(z, codes)
    for i in (1, 2, 4):
        changed = codes.clone()
        changed[:, i] = (changed[:, i] + 1) % generator.network.outputs[i].stop
        changed[:, i].clamp_(max=UNITS[i].n_levels - 1)
        new = generator.network(z, changed)
        last = generator.network.outputs[i].stop
        assert torch.equal(new[:, :last], out[:, :last])
        assert i == 4 or not torch.equal(new[:, last:], out[:, last:])


def test_gradients_reach_every_unmasked_parameter(rng):
    generator = make_generator(UNITS, rng, trained=False)
    optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    z, codes = generator.sample(500, torch.Generator().manual_seed(0))
    for _ in range(2):  # the last layer starts at zero and lets nothing through
        optimizer.zero_grad()
        generator.log_prob(z, codes).sum().backward()
        generator.network.mask_gradients()
        optimizer.step()
    network = generator.network
    for layer in [network.first, *network.hidden, network.last]:
        assert ((layer.weight.grad != 0) == layer.mask).all()
        assert ((layer.weight == 0) | (layer.mask == 1)).all()
        assert layer is network.last or (layer.bias.grad != 0).any()
    assert ((network.levels.grad != 0) == network.level_mask).all()


def test_walk_gives_the_same_outputs(generator):
    z, codes = generator.sample(40, torch.Generator().manual_seed(0))
    out = generator.network(z, codes)
    walk = generator.network.walk(40)
    for i, columns in enumerate(generator.network.outputs):
        assert torch.allclose(walk.output(i), out[:, columns], atol=1e-12)
        walk.observe(i, z[:, i], codes[:, i])


def test_untrained_generator_is_the_mixture(rng):
    units = [Unit(), Unit(), Unit()]
    mixture = GaussianMixture(4, random_state=0).fit(rng.normal(size=(300, 3)))
    generator = Generator(units, mixture, 300, (8, 8), 0.0, torch.Generator()).double()
    z = rng.normal(size=(100, 3)) * 2
    log_prob = generator.log_prob(torch.tensor(z), torch.full((100, 3), ACTIVE)).sum(1)
    assert np.allclose(log_prob.detach().numpy(), mixture.score_samples(z), atol=1e-9)


def test_untrained_state_has_the_observed_shares(rng):
    generator = make_generator(UNITS, rng, trained=False)
    _, codes = generator.sample(20_000, torch.Generator().manual_seed(0))
    assert (codes[:, 2] == 0).double().mean() == pytest.approx(0.6, abs=0.01)


def test_numbers_blend_the_levels_of_the_knots_around_them(generator):
    network, first = generator.network, generator.network.first_level[0]

    def effect(number):
        z = torch.full((1, len(UNITS)), float(number), dtype=torch.float64)
        others = torch.where(torch.tensor([True] + [False] * 4), z, -10.0)
        return network.level_effects(others, torch.full((1, 5), ABSENT))[0]

    levels = network.levels[first : first + len(KNOTS)] + effect(-10) - network.levels[first]
    assert torch.allclose(effect(KNOTS[4]), levels[4])
    assert torch.allclose(effect((KNOTS[4] + 3 * KNOTS[5]) / 4), (levels[4] + 3 * levels[5]) / 4)
    assert torch.allclose(effect(3), levels[-1])


def test_a_nudge_tells_parts_apart_once_and_keeps_the_variance(rng):
    generator = make_generator(UNITS, rng, trained=False)
    last = generator.network.last
    generator.nudge(torch.Generator().manual_seed(0))
    weight, bias = last.weight.clone(), last.bias.clone()
    assert ((weight != 0) == last.mask).all()
    for i in generator.continuous:
        a, b, c = bias[generator.network.outputs[i]].unflatten(0, (3, -1))
        assert not a.any()
        assert len(b.unique()) == len(b)
        assert torch.allclose(torch.exp(2 * c) + SPREAD**2, torch.ones_like(c))
    assert not bias[generator.network.outputs[generator.discrete[0]]].any()
    generator.nudge(torch.Generator().manual_seed(1))
    assert torch.equal(last.weight, weight)
    assert torch.equal(last.bias, bias)


def test_a_nudge_leaves_a_trained_unit_that_is_alone(rng):
    generator = make_generator(UNITS[:1], rng, trained=False)
    generator.nudge(torch.Generator().manual_seed(0))
    bias = generator.network.last.bias.clone()
    assert bias.any()
    generator.nudge(torch.Generator().manual_seed(1))
    assert torch.equal(generator.network.last.bias, bias)


def test_blocks_multiply_as_the_whole_does(generator, rng):
    def gradients(product, *tensors):
        tensors = [t.detach().clone().requires_grad_() for t in tensors]
        return torch.autograd.grad(product(*tensors).square().sum(), tensors)

    network = generator.network
    for layer in [network.first, *network.hidden, network.last]:
        x = torch.as_tensor(rng.normal(size=(7, layer.mask.shape[1])))
        assert torch.allclose(layer(x), torch.nn.functional.linear(x, layer.weight, layer.bias))
        whole = gradients(torch.nn.functional.linear, x, layer.weight, layer.bias)
        parts = gradients(
            lambda *t, own=layer: BlockProduct.apply(*t, own.mask, own.blocks), x, layer.weight, layer.bias
        )
        assert torch.allclose(parts[0], whole[0])
        assert torch.allclose(parts[1], whole[1] * layer.mask)
        assert torch.allclose(parts[2], whole[2])
    assert len(network.last.blocks) > 1


def test_probabilities_of_levels_sum_to_one(rng):
    units = [UNITS[1], UNITS[4], UNITS[1]]
    generator = make_generator(units, rng)
    cells = list(itertools.product(*[range(ABSENT, unit.n_levels) for unit in units]))
    codes = torch.tensor(cells)
    midpoints = [torch.tensor(np.append(unit.midpoints, 0.0)) for unit in units]
    z = torch.stack([m[codes[:, i]] for i, m in enumerate(midpoints)], 1)
    assert generator.log_prob(z, codes).sum(1).exp().sum().item() == pytest.approx(1.0, abs=1e-9)


def test_mean_log_prob_of_samples_is_minus_the_entropy(rng):
    generator = make_generator([Unit()], rng)
    z, codes = generator.sample(200_000, torch.Generator().manual_seed(0))
    grid = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    log_prob = generator.log_prob(grid[:, None], torch.full((20_001, 1), ACTIVE))[:, 0]
    assert torch.trapezoid(log_prob.exp(), grid).item() == pytest.approx(1.0, abs=1e-6)
    expected = torch.trapezoid(log_prob.exp() * log_prob, grid).item()
    values = generator.log_prob(z, codes)
    assert values.mean().item() == pytest.approx(expected, abs=4 * values.std().item() / 200_000**0.5)


def test_inactive_units_have_no_density(generator):
    z, codes = generator.sample(200, torch.Generator().manual_seed(0))
    inactive = codes[:, 2] != ACTIVE
    assert inactive.any()
    assert (z[inactive, 3] == 0).all()
    assert (generator.log_prob(z, codes)[inactive, 3] == 0).all()
