"""
Which rows are unlikely, and which of their cells
=================================================

A model of the wines learns what is usual. Then one cell of some other wines takes the value, among these
wines, that is farthest from its own: one that occurs, but not with the rest of that row. ``score_samples`` tells which
wines are unlikely, ``score_columns`` which of their cells, and ``component_summary`` what the usual kinds are.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skgmmgan import GMMGAN

train, test = train_test_split(load_wine(as_frame=True).data, test_size=80, random_state=0)
model = GMMGAN(n_components=3, random_state=0).fit(train)
print(model.component_summary()[[("", "weight"), ("alcohol", "mean"), ("proline", "mean"), ("hue", "mean")]].round(2))

# %%
# The least likely wines
# ----------------------
# Half of the test wines get one cell from the wine that is farthest from it in this column.

rng = np.random.default_rng(0)
odd, replaced = test.copy(), rng.integers(test.shape[1], size=len(test))
is_odd = np.arange(len(test)) < len(test) // 2
for i in np.flatnonzero(is_odd):
    column = test.iloc[:, replaced[i]]
    odd.iloc[i, replaced[i]] = column.iloc[(column - column.iloc[i]).abs().argmax()]

forest = IsolationForest(random_state=0).fit(train)
print(f"AUC of the log-likelihood: {roc_auc_score(is_odd, -model.score_samples(odd)):.3f}")
print(f"AUC of an isolation forest: {roc_auc_score(is_odd, -forest.score_samples(odd)):.3f}")

# %%
# Their least likely cells
# ------------------------
# What a column adds to the log-likelihood is compared with what it adds on average. A cell that does not fit shows in
# its own column or in a later one that hangs together with it, since columns are given those before them.

usual = model.score_columns(train).mean(axis=0)
surprise = pd.DataFrame((usual - model.score_columns(odd))[:, :-1], columns=train.columns)
ranks = surprise.rank(axis=1, ascending=False).to_numpy()[np.arange(len(odd)), replaced][is_odd]
print(f"The replaced cell is the most surprising of 13 in {np.mean(ranks == 1):.0%} of the rows,")
print(f"among the first three in {np.mean(ranks <= 3):.0%}.")
print(surprise[is_odd].iloc[0].sort_values(ascending=False).head(3).round(1))
print(f"Replaced: {train.columns[replaced[0]]}")

# %%
# Twenty wines of each half in a picture: dark cells are surprising, a ring marks the cell that was replaced. Rows
# without a ring are whole, and some of them hold surprising cells all the same: rare is not wrong.

shown = np.concatenate([np.flatnonzero(is_odd)[:20], np.flatnonzero(~is_odd)[:20]])
figure, ax = plt.subplots(figsize=(6, 8), layout="constrained")
image = ax.imshow(surprise.iloc[shown], cmap="Reds", vmin=0, vmax=8, aspect="auto")
ax.plot(replaced[shown[:20]], np.arange(20), "o", markersize=9, markerfacecolor="none", color="black")
ax.axhline(19.5, color="black", linewidth=1)
ax.set_xticks(range(len(train.columns)), train.columns, rotation=90, fontsize=8)
ax.set(ylabel="wines: with a replaced cell, and whole", yticks=[])
_ = figure.colorbar(image, label="surprise, nats", shrink=0.5, extend="both")
