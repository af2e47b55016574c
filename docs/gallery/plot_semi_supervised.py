"""
Digits, few of which have a label
=================================

``y == -1`` says that the label of a row is not known. The network counts such a row with the sum over the labels that
it may have; the mixture alone, as on this page, gets a label drawn for it.
The rows are the 8 x 8 digits of scikit-learn, five of each class with a label.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import LabelSpreading

from skgmmgan import GMMGANClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
order = np.random.default_rng(0).permutation(len(X_train))
known = np.concatenate([order[y_train[order] == digit][:5] for digit in range(10)])
partly = np.full(len(X_train), -1)
partly[known] = y_train[known]
print(f"{len(known)} rows with a label, {np.sum(partly == -1)} without")

# %%
# With and without the rows that have no label
# --------------------------------------------
# To save time the images are reduced to twelve principal components, and the model is one Gaussian a class, without
# the network. Two other classifiers read the same rows.

reduce = make_pipeline(PCA(12, random_state=0), StandardScaler()).fit(X_train)
Z_train, Z_test = reduce.transform(X_train), reduce.transform(X_test)
mixtures = GMMGANClassifier(1, covariance_type="full", max_epochs=0, adversarial_rounds=0, random_state=0)
models = {
    "GMMGANClassifier, all rows": clone(mixtures).fit(Z_train, partly),
    "GMMGANClassifier, rows with a label": clone(mixtures).fit(Z_train[known], partly[known]),
    "LabelSpreading, all rows": LabelSpreading(kernel="knn").fit(Z_train, partly),
    "LogisticRegression, rows with a label": LogisticRegression().fit(Z_train[known], partly[known]),
}
pd.Series({name: model.score(Z_test, y_test) for name, model in models.items()}, name="test accuracy").round(3)

# %%
# Unlabelled rows help where classes are clusters, as here. Elsewhere they can do harm: a mixture that fits all rows
# better may tell the classes worse, and the likelihood does not see it. :doc:`/labels` has tables where it happens, so
# compare with a fit on the labelled rows alone.
#
# How sure is it?
# ---------------
# Probabilities come by Bayes' rule. These are the test digits of which the model is least sure.

model = models["GMMGANClassifier, all rows"]
probability = model.predict_proba(Z_test)
unsure = probability.max(axis=1).argsort()[:10]
figure, axes = plt.subplots(2, 5, figsize=(8, 4), layout="constrained")
for ax, i in zip(axes.flat, unsure):
    second, first = probability[i].argsort()[-2:]
    ax.imshow(X_test[i].reshape(8, 8), cmap="gray_r")
    ax.set_title(f"is {y_test[i]}: {first} ({probability[i, first]:.2f}), {second}", fontsize=9)
    ax.set_axis_off()
