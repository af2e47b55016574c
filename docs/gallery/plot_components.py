"""
How many components
===================

``GridSearchCV`` chooses the number of components by the log-likelihood of held-out rows. The rows are four blobs. The
mixture alone has its knee where the number is right; with the network the curve is flatter, since the network repairs
part of what a wrong number leaves.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, KFold

from skgmmgan import GMMGAN

X, _ = make_blobs(1500, centers=[[0, 0], [9, 0], [0, 9], [9, 9]], random_state=0)

# %%
# The mixture alone
# -----------------
# With ``max_epochs=0`` and ``adversarial_rounds=0`` the model is the mixture, which is fitted fast. Three folds give a
# standard error for each number.

folds = KFold(3, shuffle=True, random_state=0)
numbers = [1, 2, 3, 4, 5, 6]
prior = GMMGAN(max_epochs=0, adversarial_rounds=0, random_state=0)
search = GridSearchCV(prior, {"n_components": numbers}, cv=folds).fit(X)
means, errors = search.cv_results_["mean_test_score"], search.cv_results_["std_test_score"] / 3**0.5
for number, mean, error in zip(numbers, means, errors):
    print(f"{number} components: {mean:.3f} +- {error:.3f} nats a row")
print(search.best_params_)

# %%
# With the network
# ----------------
# To save time: one fold, four of the numbers, a small network and few rounds.

some = [1, 3, 4, 6]
network = GMMGAN(hidden_layer_sizes=64, max_epochs=3, adversarial_rounds=3, random_state=0)
first = [next(folds.split(X))]
refined = GridSearchCV(network, {"n_components": some}, cv=first, refit=False).fit(X).cv_results_["mean_test_score"]
alone = search.cv_results_["split0_test_score"]
for number, mean in zip(some, refined):
    print(f"{number} components: {alone[number - 1]:.3f} nats a row, with network {mean:.3f}")

# %%
# Beyond the knee the curve is flat: likelihood punishes a number that is too large only a little. If components
# are to be read as groups, take the smallest number within a standard error of the best.

smallest = next(number for number, mean in zip(numbers, means) if mean >= means.max() - errors[means.argmax()])
print(f"smallest number within a standard error of the best: {smallest}")

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.errorbar(numbers, means, errors, marker="o", capsize=3, label="mixture alone, 3 folds")
ax.plot(numbers, alone, marker="o", linestyle=":", color="C0", label="mixture alone, first fold")
ax.plot(some, refined, marker="s", label="with network, first fold")
ax.axvline(smallest, color="black", linewidth=0.5, linestyle="--", label="chosen")
ax.set(xlabel="components", ylabel="held-out nats a row")
_ = ax.legend()
