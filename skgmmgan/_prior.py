"""The fitted GaussianMixture as tensors, and its closed-form conditionals.

A component tells the level of a discrete unit by the interval that the coordinate falls into. The intervals are its
own: their edges are thresholds of an ordered probit model, by which the component's rows have the shares that they do.
"""

import math

import numpy as np
import torch
from scipy.special import gammaln, ndtri
from torch import nn

from ._columns import ABSENT

LOG_2PI = math.log(2 * math.pi)
TINY = 1e-300
SHARE_FLOOR = 1e-4  # weight of the observed shares in what a component tells of levels
SHARE_WEIGHTS = np.geomspace(1, 1e6, 13)  # rows that expected shares may count for
MAX_HELD = 1_000_000  # numbers of an intermediate result, which a processor's cache should hold

FULL_COVARIANCES = {
    "full": lambda covariances, shape: covariances,
    "tied": lambda covariances, shape: np.broadcast_to(covariances, shape),
    "diag": lambda covariances, shape: covariances[:, :, None] * np.eye(shape[1]),
    "spherical": lambda covariances, shape: covariances[:, None, None] * np.eye(shape[1]),
}


def full_covariances(mixture):
    """Covariances of a fitted GaussianMixture of any covariance type, (K, d, d)."""
    n_components, d = mixture.means_.shape
    return FULL_COVARIANCES[mixture.covariance_type](mixture.covariances_, (n_components, d, d))


REDUCE_COVARIANCES = {
    "auto": lambda covariances, weights: covariances,
    "full": lambda covariances, weights: covariances,
    "tied": lambda covariances, weights: np.einsum("k,kij->ij", weights, covariances),
    "diag": lambda covariances, weights: np.einsum("kii->ki", covariances),
    "spherical": lambda covariances, weights: np.einsum("kii->ki", covariances).mean(axis=1),
}


def weighted_moments(X, responsibilities):
    """Means (K, d) and covariances (K, d, d) of numbers by responsibility, over the cells that are present.

    They are NaN where no cell is.
    """
    present = ~np.isnan(X)
    covariances = []
    with np.errstate(invalid="ignore"):  # 0 / 0
        means = (responsibilities.T @ np.where(present, X, 0.0)) / (responsibilities.T @ present)
        for r, mean in zip(responsibilities.T[:, :, None], means):
            centred = np.where(present, X - mean, 0.0)
            covariances.append((r * centred).T @ centred / ((r * present).T @ present))
    return means, np.array(covariances)


def weighted_counts(codes, n_categories, responsibilities):
    """Rows of each category in each component, (K, n_categories + 1), over the cells that are present.

    The last column is that of all categories that are not known, with code -1.
    """
    present = ~np.isnan(codes)
    index = codes[present].astype(int) % (n_categories + 1)
    return np.array([np.bincount(index, r, minlength=n_categories + 1) for r in responsibilities[present].T])


def weighted_shares(codes, n_categories, responsibilities):
    """The share of each category in each component instead."""
    counts = weighted_counts(codes, n_categories, responsibilities)
    return counts / (counts.sum(axis=1, keepdims=True) + TINY)


def shrunk_shares(counts, expected):
    """Shares of the rows counted, (K, V), shrunk towards the expected ones.

    These count for as many rows as make the counts most likely under a Dirichlet-multinomial model [1]_; so they stay
    as they are where the counts do not speak against them.

    References
    ----------
    .. [1] T. P. Minka, "Estimating a Dirichlet distribution", 2000.
    """
    rows = counts.sum(axis=1)

    def evidence(weight):
        levels = gammaln(weight * expected + counts) - gammaln(weight * expected)
        return levels.sum() - (gammaln(weight + rows) - gammaln(weight)).sum()

    weight = max(SHARE_WEIGHTS, key=evidence)
    return (counts + weight * expected) / (rows[:, None] + weight)


def floored(mass, shares):
    """Probabilities of levels, a little of which are their observed shares, so that none is lost."""
    return (1 - SHARE_FLOOR) * mass + SHARE_FLOOR * shares


def number_evidence(e, scales, codes):
    """Log-density of standardised numbers, up to a constant; of those that are absent 0."""
    return torch.where(codes[..., None] == ABSENT, 0.0, -0.5 * e**2 - torch.log(scales))


class Prior(nn.Module):
    """A Gaussian mixture that tells the distribution of each unit given those before it.

    With the Cholesky factors L_k of the covariances and e_k = L_k^{-1} (z - mu_k), the conditional of z_i in
    component k has mean z_i - L_k,ii e_ki and standard deviation L_k,ii, and the weight of component k is proportional
    to pi_k prod_{j<i} p_k(x_j | z_<j): N(e_kj; 0, 1) / L_k,jj for a number, for a level the mass of its interval. What
    is absent tells nothing. Components are the last axis throughout.

    Parameters
    ----------
    mixture : GaussianMixture of d coordinates
    units : list of d Unit
    """

    def __init__(self, mixture, units):
        super().__init__()
        cholesky = np.linalg.cholesky(full_covariances(mixture))  # (K, d, d)
        whitening = np.linalg.inv(cholesky)
        tensors = {
            "log_weights": np.log(np.maximum(mixture.weights_, np.finfo(float).tiny)),  # (K,)
            "means": mixture.means_.T,  # (d, K)
            "cholesky": cholesky.transpose(1, 2, 0),  # (d, d, K)
            "scales": np.diagonal(cholesky, axis1=1, axis2=2).T,  # (d, K)
            "whitening": whitening.transpose(1, 0, 2).reshape(-1, whitening.shape[1]),  # (d K, d)
            "offsets": np.einsum("kij,kj->ik", whitening, mixture.means_),  # (d, K)
        }
        self.discrete = [i for i, unit in enumerate(units) if unit.n_levels]
        for i in self.discrete:
            tensors[f"shares_{i}"] = units[i].shares
            shared = ndtri(units[i].bounds)[:, None]
            tensors[f"shared_edges_{i}"] = shared  # of the levels' intervals, (V + 1, 1)
            tensors[f"edges_{i}"] = np.repeat(shared, len(cholesky), axis=1)  # in each component, (V + 1, K)
        for name, array in tensors.items():
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(array)))

    @property
    def margins(self):
        """Standard deviation of each coordinate in each component, (d, K)."""
        return torch.linalg.vector_norm(self.cholesky, dim=1)

    def calibrate(self, codes, responsibilities):
        """Move the edges of intervals so that each component has the levels of its rows.

        Parameters
        ----------
        codes : of rows, (n, d)
        responsibilities : of the components for them, (n, K)
        """
        margins = self.margins
        for i in self.discrete:
            edges, shares = getattr(self, f"edges_{i}"), getattr(self, f"shares_{i}")
            means, scales = self.means[i], margins[i]
            mass = torch.special.ndtr((edges - means) / scales).diff(dim=0).T
            counts = weighted_counts(codes[:, i], len(shares), responsibilities)[:, :-1]
            ranks = shrunk_shares(counts, floored(mass, shares).numpy()).cumsum(axis=1)[:, :-1]
            edges[1:-1] = means + scales * torch.special.ndtri(torch.tensor(ranks.T).clamp(max=1.0))

    def soften(self):
        """Have all components share the edges of intervals, as before they were calibrated."""
        for i in self.discrete:
            getattr(self, f"edges_{i}").copy_(getattr(self, f"shared_edges_{i}").expand(-1, len(self.log_weights)))

    def conditionals(self, z, codes):
        """Means and log-weights (up to a constant) of every unit given those before it, each (n, d, K)."""
        means, evidence = self._evidence(z, codes)
        return means, self.log_weights + torch.cumsum(evidence, dim=1) - evidence

    def responsibilities(self, z, codes):
        """Probability of each component given the row, (n, K)."""
        return torch.softmax(self._joint(z, codes), 1)

    def log_prob(self, z, codes):
        """Log-density of each row, (n,)."""
        return torch.logsumexp(self._joint(z, codes), 1)

    def _joint(self, z, codes):
        return self.log_weights + self._evidence(z, codes)[1].sum(dim=1)

    def _evidence(self, z, codes):
        """Means, and log-density of each unit in each component given the units before it, each (n, d, K)."""
        e = (z @ self.whitening.T).view(len(z), *self.means.shape) - self.offsets  # (n, d, K)
        means = z[:, :, None] - self.scales * e
        evidence = number_evidence(e, self.scales, codes)
        for i in self.discrete:
            evidence[:, i] = self.level_evidence(i, means[:, i], codes[:, i])
        return means, evidence

    def level_evidence(self, i, means, codes):
        """Log-probability of the level of a discrete unit in each component, (n, K); of an unseen one 0."""
        seen = codes.clamp(min=0)
        edges, rates = getattr(self, f"edges_{i}"), 1 / (math.sqrt(2) * self.scales[i])
        mass = torch.erf((edges[seen + 1] - means) * rates) - torch.erf((edges[seen] - means) * rates)
        shares = getattr(self, f"shares_{i}")[seen, None]
        log_prob = torch.log(floored(mass.clamp(min=0) / 2, shares))
        return torch.where(codes[:, None] == ABSENT, 0.0, log_prob)

    def level_log_prob(self, i, means, log_weights, scales):
        """Log-probability of each level of a discrete unit under Gaussian mixtures, (n, V).

        Means and log-weights are of shape (n, K), scales (K,).
        """
        edges = getattr(self, f"edges_{i}").T.contiguous()
        rows = max(1, MAX_HELD // edges.numel())
        rates = 1 / (math.sqrt(2) * scales)
        scaled = rates[:, None] * edges  # (K, V + 1)
        parts = []
        for m, weights in zip((means * rates).split(rows), torch.softmax(log_weights, 1).split(rows)):
            below = (scaled - m[:, :, None]).erf_()  # (rows, K, V + 1)
            parts.append((weights[:, None] @ below)[:, 0])
        mass = torch.cat(parts).diff(dim=1).clamp(min=0) / 2
        return torch.log(floored(mass, getattr(self, f"shares_{i}")))

    def walk(self, n):
        return PriorWalk(self, n)


class PriorWalk:
    """The same conditionals, one unit after the other: the triangular solve grows by a row a step."""

    def __init__(self, prior, n):
        self.prior = prior
        self.means = prior.means[None].repeat(n, 1, 1)  # (n, d, K)
        self.log_weights = prior.log_weights[None].repeat(n, 1)  # (n, K)

    def conditional(self, i):
        """Means and log-weights of unit i given those observed, each (n, K)."""
        return self.means[:, i], self.log_weights

    def observe(self, i, z, codes):
        e = (z[:, None] - self.means[:, i]) / self.prior.scales[i]  # (n, K)
        if i in self.prior.discrete:
            evidence = self.prior.level_evidence(i, self.means[:, i], codes)
        else:
            evidence = number_evidence(e, self.prior.scales[i], codes)
        self.log_weights = self.log_weights + evidence
        self.means[:, i + 1 :] += e[:, None] * self.prior.cholesky[i + 1 :, i]

    def select(self, index):
        """Keep the rows with these indices."""
        self.means, self.log_weights = self.means[index], self.log_weights[index]
