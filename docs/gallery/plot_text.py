"""
Text: words of short documents
==============================

Documents become rows by TF-IDF and a truncated SVD (latent semantic analysis). New rows are drawn and taken back to
what such a row can tell: the words of a document, without their order. The documents are docstrings of scikit-learn, so
nothing is downloaded.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.utils.discovery import all_estimators, all_functions

from skgmmgan import GMMGANClassifier

# %%
# The corpus
# ----------
# Each document is the text before the list of parameters of a public estimator or function; its label is the module.
# Rare modules are left out.

found = {f"{item.__module__.split('.')[1]}.{name}": item for name, item in [*all_estimators(), *all_functions()]}
texts = {name: (inspect.getdoc(item) or "").split("\nParameters\n")[0] for name, item in found.items()}
documents = pd.DataFrame({"text": texts}).rename_axis("name").reset_index()
documents["module"] = documents["name"].str.split(".").str[0]
documents = documents[documents.groupby("module")["name"].transform("size") >= 15]
train, test = train_test_split(documents, test_size=0.25, stratify=documents["module"], random_state=0)
print(f"{len(train)} documents train, {len(test)} are held out; modules: {', '.join(sorted(set(train['module'])))}")

# %%
# Rows
# ----
# Twenty numbers a document, and its module as a label. The model is one Gaussian a module, without the network.

stop_words = sorted(ENGLISH_STOP_WORDS | {"guide", "read", "user", "versionadded", "ref", "sklearn", "using", "used"})
lsa = make_pipeline(
    TfidfVectorizer(stop_words=stop_words, min_df=3, token_pattern=r"[a-z]{3,}", sublinear_tf=True),
    TruncatedSVD(20, random_state=0),
)
topics = lsa.fit_transform(train["text"])
model = GMMGANClassifier(1, covariance_type="full", max_epochs=0, adversarial_rounds=0, random_state=0)
model.fit(topics, train["module"])
words = lsa[0].get_feature_names_out()
print(f"{len(words)} words; variance that {topics.shape[1]} topics keep: {lsa[1].explained_variance_ratio_.sum():.0%}")
print(f"held-out documents whose module is predicted: {model.score(lsa.transform(test['text']), test['module']):.0%}")

# %%
# New documents, as words
# -----------------------
# The inverse of the SVD gives a weight to every word. ``TfidfVectorizer.inverse_transform`` would list all words whose
# weight is not zero, which are nearly all; so the eight largest weights are shown, and the training document that is
# nearest by the cosine of the topics.

asked = {"cluster": 3, "linear_model": 3, "metrics": 3, "preprocessing": 3}
drawn, modules = model.sample(y=asked, random_state=0)
weights = lsa[1].inverse_transform(drawn)
print(f"words whose weight is not zero: {np.mean(weights != 0):.0%}")
for module, weight, near in zip(modules, weights, cosine_similarity(drawn, topics).argmax(axis=1)):
    print(f"{module}: {', '.join(words[weight.argsort()[::-1][:8]])}\n    nearest: {train['name'].iloc[near]}")

# %%
# Do they fit?
# ------------
# For each row the nearest training document is looked up, and whether it is in the module of the row. Held-out
# documents are the yardstick, and rows of the model whose numbers are shuffled within each module and column. More than
# held-out documents have is no merit: such rows are more typical of their module than real documents.

rows, labels = model.sample(1000, random_state=1)
shuffled, rng = rows.copy(), np.random.default_rng(0)
for module in np.unique(labels):
    shuffled[labels == module] = rng.permuted(rows[labels == module], axis=0)
tables = {
    "held-out documents": (lsa.transform(test["text"]), test["module"].to_numpy()),
    "rows of the model": (rows, labels),
    "shuffled rows": (shuffled, labels),
}
for name, (numbers, label) in tables.items():
    similarity = cosine_similarity(numbers, topics)
    same = label == train["module"].to_numpy()[similarity.argmax(axis=1)]
    print(f"{name}: same module {same.mean():.0%}, median cosine {np.median(similarity.max(axis=1)):.2f}")

# %%
# Two topics in a picture, real documents on the left.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), sharex=True, sharey=True, layout="constrained")
parts = {"training documents": (topics, train["module"].to_numpy()), "rows of the model": (rows, labels)}
for ax, (title, (numbers, label)) in zip(axes, parts.items()):
    for module in asked:
        ax.scatter(*numbers[label == module][:60, 1:3].T, s=10, label=module)
    ax.set(title=title, xlabel="topic 1", ylabel="topic 2")
_ = axes[0].legend(fontsize=8)

# %%
# Limits
# ------
# No sentence comes out of this: order, grammar and rare words are lost before the model sees a row. For text that is to
# be read, use a language model.
