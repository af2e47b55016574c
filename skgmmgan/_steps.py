"""Steps of stochastic gradient descent on a generator, and what they are told."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import sem
from torch.optim.swa_utils import get_ema_multi_avg_fn

from ._model import CHUNK

EMA_HALF_STEPS = 100  # memory of the moving average of the weights
MAX_GRADIENT_NORM = 5.0
LEARNING_RATE = 0.004  # with ...
LEARNING_BATCH = 256  # ... at most so many rows in a batch
LEVEL_LEARNING_RATE = 2.0  # of the network's table of levels, relative to most others, ...
OUTPUT_LEARNING_RATE = 0.25  # ... and of its last weights


@dataclass
class Settings:
    """What the loop is told by the parameters of the estimator."""

    max_epochs: int
    n_iter_no_change: int
    batch_size: object
    learning_rate: object
    rate_factor: float  # on the learning rate
    adversarial_rounds: int
    adversarial_weight: float
    adversarial_loss: str
    discriminator: object
    keep_discriminators: bool
    validation_fraction: float
    progress: object  # wraps an iterable in a progress bar, or leaves it alone
    history: list

    def record(self, **entry):
        self.history.append(entry)


def to_tensors(model, values, rng):
    """Coordinates and codes of values, spread inside their rounding step, on the device of the model."""
    rows = model.codec.encode(values, rng)
    z = torch.as_tensor(rows.z, dtype=torch.float32, device=model.device)
    return z, torch.as_tensor(rows.codes, device=model.device)


def batch_size_for(n, batch_size):
    """Given or, for "auto", a power of two such that an epoch has some thirty steps."""
    if batch_size != "auto":
        return min(batch_size, n)
    return min(n, int(np.clip(2 ** round(np.log2(n / 32)), 16, 512)))


def learning_rate_for(batch_size, settings):
    """Given or, for "auto", one that grows with the square root of large batches [1]_.

    References
    ----------
    .. [1] S. Malladi, K. Lyu, A. Panigrahi and S. Arora, "On the SDEs and scaling rules for adaptive gradient
       algorithms", NeurIPS 2022.
    """
    rate = settings.learning_rate
    if rate == "auto":
        rate = LEARNING_RATE * max(1.0, batch_size / LEARNING_BATCH) ** 0.5
    return settings.rate_factor * rate


class MovingAverage:
    """Exponential moving average of a module's parameters, young at first."""

    def __init__(self, module):
        self.module = copy.deepcopy(module)
        self.steps = 0

    @torch.no_grad()
    def update(self, module):
        self.steps += 1
        average = get_ema_multi_avg_fn(1 - 1 / min(self.steps + 1, EMA_HALF_STEPS))
        average(list(self.module.parameters()), list(module.parameters()), self.steps)


def copy_weights(source, target):
    """Copy parameters, not buffers: the target keeps its precision and device."""
    with torch.no_grad():
        for a, b in zip(target.parameters(), source.parameters()):
            a.copy_(b)


@torch.no_grad()
def row_log_prob(generator, tensors):
    chunk = max(1, CHUNK // generator.n_variants)
    parts = [generator.row_log_prob(z, codes) for z, codes in zip(*(t.split(chunk) for t in tensors))]
    return torch.cat(parts).double().cpu().numpy()


def make_optimizer(generator, learning_rate):
    """Adam, with larger steps of the levels and smaller ones of the last weights, which add up over a wide layer [1]_.

    References
    ----------
    .. [1] G. Yang and E. J. Hu, "Tensor Programs IV: feature learning in infinite-width neural networks", ICML 2021.
    """
    network = generator.network
    factors = {network.levels: LEVEL_LEARNING_RATE, network.last.weight: OUTPUT_LEARNING_RATE}
    groups = [{"params": [p], "lr": learning_rate * factor} for p, factor in factors.items()]
    groups.append({"params": [p for p in generator.parameters() if p not in factors], "lr": learning_rate})
    return torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)


def take_step(generator, optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    generator.network.mask_gradients()
    torch.nn.utils.clip_grad_norm_(generator.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()


def exceeds_error(gain, further_std=0.0):
    """Whether a paired gain exceeds one standard error; `further_std` is that of a constant in it."""
    return len(gain) > 1 and gain.mean() > np.hypot(sem(gain), further_std)
