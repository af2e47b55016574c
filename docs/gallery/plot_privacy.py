"""
A check of privacy
==================

Do synthetic rows give training rows away? Two figures and a picture look at distances. They can show that something is
wrong; they cannot show that nothing is.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skgmmgan import GMMGAN
from skgmmgan.metrics import copy_rate, dcr_share
from skgmmgan.plotting import DistanceDisplay

table = load_diabetes(scaled=False, as_frame=True).frame
train, holdout = train_test_split(table, test_size=0.5, random_state=0)

# %%
# Keep a holdout
# --------------
# Half of the rows train nothing. They tell how near fresh rows lie to training rows anyway: without them no distance
# means anything. Three ways to make rows are compared. The second one takes training rows and adds a little noise, the
# third one hands out training rows for a tenth of its rows.

model = GMMGAN(max_epochs=3, adversarial_rounds=1, random_state=0).fit(train)
rows, _ = model.sample(len(train))
rng = np.random.default_rng(0)
noisy = train + 0.1 * train.std().to_numpy() * rng.normal(size=train.shape)
leaky = pd.concat([rows.iloc[len(train) // 10 :], train.iloc[: len(train) // 10]])
tables = {"GMMGAN": rows, "training rows with noise": noisy, "a tenth copied": leaky}

# %%
# Two figures
# -----------
# ``dcr_share`` is the share of rows whose nearest real row is a training row; one half is best. ``copy_rate`` is the
# share of rows that are training rows, cell for cell; the rate of held-out rows is the yardstick.

print(f"copies among held-out rows: {copy_rate(train, holdout):.3f}")
for name, made in tables.items():
    share, copies = dcr_share(train, made, holdout, random_state=0), copy_rate(train, made)
    print(f"{name}: nearer to training {share:.3f}, copies {copies:.3f}")
print(f"standard error of a share of one half of {len(rows)} rows: {0.5 / len(rows) ** 0.5:.3f}")

# %%
# Each figure is blind to something. The copies in the third table move the share of all rows only a little, and the
# noisy rows are no copies at all.
#
# A picture
# ---------
# Distances of synthetic rows to the nearest training row should be spread like those of held-out rows. With noisy rows
# they are not.

figure, axes = plt.subplots(1, 3, figsize=(15, 4), layout="constrained")
for ax, (name, made) in zip(axes, tables.items()):
    DistanceDisplay.from_tables(train, made, holdout, ax=ax)
    ax.set_title(name)

# %%
# What is not promised
# --------------------
# - None of this is a proof, and the model adds no noise that would give differential privacy.
# - The figures are means over rows. A single odd person may still be recognised; look at the rows themselves.
# - An attacker may know more than distances, for instance part of the cells of a person.
# - The fitted model is as confidential as its table: it holds categories, bounds, repeated values and quantiles, and
#   draws real categories. Columns of names or identifiers must be dropped before. Synthetic numbers may reach a bound,
#   which is the value of a real person:

print(f"largest s6: training rows {train['s6'].max():.0f}, synthetic rows {rows['s6'].max():.0f}")
