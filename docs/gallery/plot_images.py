"""
Images: digits
==============

An image of 8 x 8 pixels is a row of 64 numbers. One model reads pixels as they are, another one their principal
components, which ``sample_pipeline`` takes back to pixels. Both are mixtures alone, to save time.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline

from skgmmgan import GMMGANClassifier, sample_pipeline

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)

# %%
# Two models
# ----------
# Rows of each class are asked for. The pixels of the first model are whole numbers in the bounds of the training
# images; those of the second one come from the inverse of PCA and are clipped and rounded.

mixtures = GMMGANClassifier(max_epochs=0, adversarial_rounds=0, random_state=0)
pipeline = make_pipeline(PCA(24, random_state=0), clone(mixtures))
n_each = {digit: 100 for digit in range(10)}
pixels, pixel_labels = mixtures.fit(X_train, y_train).sample(y=n_each)
components, component_labels = sample_pipeline(pipeline.fit(X_train, y_train), y=n_each)
components = components.clip(0, 16).round()
print(f"variance that 24 of 64 components keep: {pipeline[0].explained_variance_ratio_.sum():.1%}")

# %%
# Pictures
# --------
# Seven of each digit, not chosen. The last row shows, for each image of the row above it, the training image that is
# nearest.

nearest = NearestNeighbors(n_neighbors=1).fit(X_train)


def mosaic(images, labels):
    """One picture of seven images of each digit, and of the training images nearest to the last ones."""
    columns = np.stack([images[labels == digit][:7] for digit in range(10)], axis=1)  # (7, 10, 64)
    originals = X_train[nearest.kneighbors(columns[-1])[1][:, 0]]
    tiles = np.concatenate([columns, originals[None]]).reshape(8, 10, 8, 8)
    return np.pad(tiles, ((0, 0), (0, 0), (1, 1), (1, 1))).transpose(0, 2, 1, 3).reshape(80, 100)


figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
pictures = {
    "real test images": mosaic(X_test, y_test),
    "pixels as they are": mosaic(pixels, pixel_labels),
    "through PCA": mosaic(components, component_labels),
}
for ax, (title, picture) in zip(axes, pictures.items()):
    ax.imshow(picture, cmap="gray_r", vmin=0, vmax=16)
    ax.axhline(69.5, color="black", linewidth=1)
    ax.set(title=title, xticks=[], yticks=[])

# %%
# What they are worth
# -------------------
# A classifier learns from synthetic images and is tested on real ones; learning from real images is the yardstick. The
# distance to the nearest training image is compared with that of test images.

sources = {
    "training images": (X_train, y_train),
    "pixels as they are": (pixels, pixel_labels),
    "through PCA": (components, component_labels),
    "test images": (X_test, y_test),
}
result = {}
for name, (images, labels) in sources.items():
    row = {"images": len(images)}
    if name != "test images":
        row["test accuracy"] = LogisticRegression(max_iter=200).fit(images / 16, labels).score(X_test / 16, y_test)
    if name != "training images":
        row["median distance to training"] = np.median(nearest.kneighbors(images)[0])
    result[name] = row
pd.DataFrame(result).T.round(3)

# %%
# Limits
# ------
# A model of a table knows nothing of neighbouring pixels or of shifts. Sixty-four pixels are a table; a photograph is
# not. For larger images a model of images is the right tool, or a table of features from which a decoder makes images.
