"""
Are all modes there?
====================

Adversarial networks are known to drop modes. Eight small Gaussians on a ring are the usual test: a sampler should find
all of them, in equal shares, and put nothing between them.
"""

import numpy as np
import pandas as pd
from sklearn.mixture import GaussianMixture

from skgmmgan import GMMGAN
from skgmmgan.metrics import mode_coverage
from skgmmgan.plotting import ComponentsDisplay

angles = 2 * np.pi * np.arange(8) / 8
centers, std = 2 * np.column_stack([np.cos(angles), np.sin(angles)]), 0.1


def ring(n, seed):
    """Rows of the ring."""
    rng = np.random.default_rng(seed)
    return centers[rng.integers(8, size=n)] + std * rng.normal(size=(n, 2))


X = ring(2000, seed=0)

# %%
# Eight components
# ----------------

model = GMMGAN(n_components=8, max_epochs=3, adversarial_rounds=1, random_state=0).fit(X)
_ = ComponentsDisplay.from_estimator(model, X, (0, 1), n_samples=2000, random_state=0)

# %%
# Three components
# ----------------
# They cannot cover eight modes: the mixture alone puts rows between them. Network and discriminators take most of
# these away, but the modes get less equal shares. (The ellipses are those of the rows that a
# component has, not of the mixture.)

few = GMMGAN(n_components=3, hidden_layer_sizes=128, max_epochs=10, adversarial_rounds=3, random_state=0).fit(X)
_ = ComponentsDisplay.from_estimator(few, X, (0, 1), n_samples=2000, random_state=0)

# %%
# In figures
# ----------
# Of 2,000 rows each: the modes that have a row within three standard deviations, the share of rows that lie so near to
# one, and the Kullback-Leibler divergence of the shares of the modes from equal ones. Fresh rows of the ring are the
# yardstick.

mixture = GaussianMixture(3, random_state=0).fit(X)
samples = {
    "fresh rows of the ring": ring(2000, seed=1),
    "GMMGAN": model.sample(2000, random_state=1)[0],
    "GMMGAN, three components": few.sample(2000, random_state=1)[0],
    "GaussianMixture, three components": mixture.sample(2000)[0],
}
pd.DataFrame({name: mode_coverage(rows, centers, std) for name, rows in samples.items()}).T.set_axis(
    ["modes", "share near a mode", "KL divergence"], axis=1
).round(4)

# %%
# The figures need to know the modes, as nobody does for a real table. There, ``c2st_score`` tells whether a detector
# finds regions that are missing or too full.
