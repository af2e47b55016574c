"""
From a large table to a small one
=================================

A model of many rows is a start for few rows of another table with the same columns. ``warm_start=True`` makes ``fit``
go on from the present weights, at a tenth of the learning rate.
"""

import copy

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from skgmmgan import GMMGAN

# %%
# Two tables
# ----------
# Digits, as twelve principal components of their pixels and the digit as a category. The small table has sixty digits
# that are written with much ink; two hundred more of these are for testing. All others are the large table.

images, digits = load_digits(return_X_y=True)
ink = images.sum(axis=1)
dark = np.random.default_rng(0).permutation(np.flatnonzero(ink >= np.quantile(ink, 0.8)))
others = np.delete(np.arange(len(images)), dark[:260])
pca = PCA(12, random_state=0).fit(images[others])


def table(rows):
    """Principal components and digit of some images."""
    return pd.DataFrame(pca.transform(images[rows])).add_prefix("part ").assign(digit=digits[rows].astype(str))


few, test, large = table(dark[:60]), table(dark[60:260]), table(others)
print(f"large table: {len(large)} rows, small table: {len(few)} rows; columns: {large.shape[1]}")

# %%
# Three models
# ------------
# One model knows only the sixty rows, one knows only the large table, and one is tuned: it begins with the weights of
# the second and goes on with the sixty rows. These are few steps, so the learning rate is raised.

settings = {"hidden_layer_sizes": 128, "max_epochs": 5, "adversarial_rounds": 0, "random_state": 0}
alone = GMMGAN(**settings).fit(few)
other = GMMGAN(**settings).fit(large)
tuned = copy.deepcopy(other).set_params(warm_start=True, learning_rate=0.01, max_epochs=30).fit(few)

# %%
# On the test rows: the log-likelihood, and the accuracy of a nearest-neighbour classifier that learns the digit from a
# thousand sampled rows.

models = {"sixty rows alone": alone, "large table": other, "large table, tuned": tuned}
drawn = {name: model.sample(1000, random_state=0)[0] for name, model in models.items()}
result = {}
for name, model in models.items():
    classifier = KNeighborsClassifier().fit(drawn[name].drop(columns="digit"), drawn[name]["digit"])
    accuracy = classifier.score(test.drop(columns="digit"), test["digit"])
    result[name] = {"nats a row": model.score(test), "accuracy": accuracy}
gain = tuned.score_samples(test) - other.score_samples(test)
print(f"gain by tuning: {gain.mean():.2f} +- {gain.std() / len(gain) ** 0.5:.2f} nats a row")
pd.DataFrame(result).T.round(2)

# %%
# The sixty rows alone are far too few to tell what digits look like; that is learned from the large table. Tuning adds
# a little to the likelihood.
#
# All rows go back to pixels, which tell how much ink an image has. That can be learned from sixty rows. Tuning moves
# the large table's model in the right direction, but by far not all of the way: at a tenth of the learning rate, and
# with epochs chosen by held-out rows, ``fit`` is careful.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
edges = np.linspace(200, 450, 41)
for name, rows in {"small table, test rows": test, **drawn}.items():
    amount = pca.inverse_transform(rows.filter(like="part").to_numpy()).sum(axis=1)
    style = {"color": "#CCCCCC"} if rows is test else {"histtype": "step", "linewidth": 1.5}
    ax.hist(amount, edges, density=True, label=name, **style)
    print(f"mean ink, {name}: {amount.mean():.0f}")
ax.set(xlabel="ink of an image", yticks=[])
_ = ax.legend(fontsize=8)

# %%
# What stays
# ----------
# Codec, bounds and categories are those of the large table: the tuned model draws no number beyond them and no category
# that only the small table has, although it scores both. If the tables have little in common, or the small one is not
# that small, a model of the small one alone may be better. Compare on rows that trained neither.
