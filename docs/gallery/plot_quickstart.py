"""
Quickstart
==========

A table goes in, rows like it come out. This page fits the irises of scikit-learn, draws rows, fixes some of their
cells, fills gaps, and asks how good the rows are.
"""

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

from skgmmgan import GMMGAN
from skgmmgan.plotting import MarginalsDisplay
from skgmmgan.report import QualityReport

irises = load_iris(as_frame=True)
table = irises.data.assign(species=irises.target_names[irises.target])
train, test = train_test_split(table, test_size=50, stratify=table["species"], random_state=0)

# %%
# Fit and sample
# --------------
# Four columns are numbers, the last one is text; nothing has to be scaled or encoded. Sampled rows have the
# columns, dtypes, decimals and bounds of the table. ``sample`` also tells which component of the mixture a row most
# likely belongs to.

model = GMMGAN(random_state=0).fit(train)
rows, component = model.sample(500)
rows.head()

# %%
# Conditions
# ----------
# Cells can be held fixed. The others are drawn given these.

model.sample(3, conditions={"species": "virginica", "sepal length (cm)": 6.0})[0]

# %%
# Gaps
# ----
# Missing cells are filled by draws given the rest of their row, so two draws differ. Three irises lose two cells each:

gaps = test.head(3).copy()
gaps["petal length (cm)"], gaps["species"] = float("nan"), None
filled = model.impute(gaps, n_draws=2, random_state=0)
for name, rows_of in {"first draw": filled[0], "second draw": filled[1], "truth": test.head(3)}.items():
    print(name, rows_of[["petal length (cm)", "species"]].to_numpy().tolist())

# %%
# How good are the rows?
# ----------------------
# ``score`` is the mean log-likelihood in nats a row. The number alone says little; it serves to compare models on rows
# that none of them has seen, here with a model that takes the columns to be independent.

independent = GMMGAN(n_components=1, covariance_type="diag", max_epochs=0, adversarial_rounds=0, random_state=0)
for name, fitted in {"GMMGAN": model, "independent columns": independent.fit(train)}.items():
    print(f"{name}: {fitted.score(test):.1f} nats a row")

# %%
# The report compares synthetic with real rows, held-out ones among them. Verdicts on so few rows are coarse.
# Its ``to_html`` writes a page with pictures.

QualityReport(train, rows, test, target="species", random_state=0)

# %%
# Single columns look like this. Pairs of columns, distances and what gives rows away have displays of their own.

_ = MarginalsDisplay.from_tables(train, rows)
