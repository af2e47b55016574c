"""The fitted GaussianMixture as tensors, and its closed-form conditionals."""

import math

import numpy as np
import torch
from torch import nn

LOG_2PI = math.log(2 * math.pi)
TINY = 1e-300

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


def weighted_shares(codes, n_categories, responsibilities):
    """Share of each category in each component, (K, n_categories + 1), over the cells that are present.

    The last column is that of all categories that are not known, with code -1.
    """
    present = ~np.isnan(codes)
    index = codes[present].astype(int) % (n_categories + 1)
    counts = [np.bincount(index, r, minlength=n_categories + 1) for r in responsibilities[present].T]
    return np.array(counts) / (np.sum(counts, axis=1, keepdims=True) + TINY)


class Prior(nn.Module):
    """A Gaussian mixture that tells the distribution of each coordinate given those before it.

    With the Cholesky factors L_k of the covariances and e_k = L_k^{-1} (z - mu_k), the conditional of z_i in
    component k has mean z_i - L_k,ii e_ki and standard deviation L_k,ii, and the weight of component k is proportional
    to pi_k prod_{j<i} N(e_kj; 0, 1) / L_k,jj. Components are the last axis throughout.
    """

    def __init__(self, mixture):
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
        for name, array in tensors.items():
            self.register_buffer(name, torch.tensor(np.ascontiguousarray(array)))

    def conditionals(self, z):
        """Means and log-weights (up to a constant) of every coordinate given those before it, each (n, d, K)."""
        e = (z @ self.whitening.T).view(len(z), *self.means.shape) - self.offsets  # (n, d, K)
        log_density = -0.5 * e**2 - torch.log(self.scales)
        log_weights = self.log_weights + torch.cumsum(log_density, dim=1) - log_density
        return z[:, :, None] - self.scales * e, log_weights

    def walk(self, n):
        return PriorWalk(self, n)


class PriorWalk:
    """The same conditionals, one coordinate after the other: the triangular solve grows by a row a step."""

    def __init__(self, prior, n):
        self.prior = prior
        self.means = prior.means[None].repeat(n, 1, 1)  # (n, d, K)
        self.log_weights = prior.log_weights[None].repeat(n, 1)  # (n, K)

    def conditional(self, i):
        """Means and log-weights of coordinate i given those observed, each (n, K)."""
        return self.means[:, i], self.log_weights

    def observe(self, i, z):
        e = (z[:, None] - self.means[:, i]) / self.prior.scales[i]  # (n, K)
        self.log_weights = self.log_weights - 0.5 * e**2 - torch.log(self.prior.scales[i])
        self.means[:, i + 1 :] += e[:, None] * self.prior.cholesky[i + 1 :, i]

    def select(self, index):
        """Keep the rows with these indices."""
        self.means, self.log_weights = self.means[index], self.log_weights[index]
