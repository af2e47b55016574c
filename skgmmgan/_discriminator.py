"""Discriminators: classifiers that tell real rows from model rows, and the rewards that their logits give.

Any scikit-learn classifier can play: it is fitted on as many real as model rows, and its logit is all that is used.
"""

import numpy as np
import torch
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer
from torch import nn

from ._network import MaskedLinear, arrays_of, dropout, load_arrays

MAX_LOGIT = 10.0
MAX_REWARD = 3.0
DROPOUT = 0.2  # of the perceptron
ROWS_PER_LEAF = 400  # of boosted trees, which have ...
LEAVES = (31, 127)  # ... at least and at most so many leaves

REWARDS = {
    "reverse_kl": lambda logits: logits,
    "minimax": lambda logits: np.logaddexp(0.0, logits),
    "non_saturating": lambda logits: -np.logaddexp(0.0, -logits),
}


def rewards(logits, loss):
    """Reward of each model row: what the generator raises in expectation, centred and clipped, (n,).

    With the logit D, the reverse Kullback-Leibler divergence has reward D; the minimax and the non-saturating loss of
    [1]_ have log(1 + e^D) and -log(1 + e^-D).

    References
    ----------
    .. [1] I. Goodfellow et al., "Generative adversarial nets", NeurIPS 2014.
    """
    reward = REWARDS[loss](logits)
    return np.clip(reward - reward.mean(), -MAX_REWARD, MAX_REWARD)


class TorchMLPClassifier(ClassifierMixin, BaseEstimator):
    """A small multi-layer perceptron for two classes, trained by Adam on the binary cross-entropy."""

    def __init__(self, hidden_layer_sizes=(128, 128), max_iter=30, learning_rate=2e-3, batch_size=256, random_state=0):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        X = torch.as_tensor(np.asarray(X, dtype=np.float32))
        y = torch.as_tensor((y == self.classes_[1]).astype(np.float32))
        stream = torch.Generator().manual_seed(self.random_state)
        self.network_ = self._layers([X.shape[1], *self.hidden_layer_sizes, 1], stream)
        self._train(X, y, stream)
        self.network_.double()
        return self

    def __getstate__(self):
        """Plain values and arrays, no torch object."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = arrays_of(self.network_)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "network_" in state:
            biases = [array for name, array in state["network_"].items() if name.endswith("bias")]
            sizes = [state["network_"]["0.weight"].shape[1], *map(len, biases)]
            self.network_ = self._layers(sizes, torch.Generator()).double()
            load_arrays(self.network_, state["network_"])

    @staticmethod
    def _layers(sizes, stream):
        return nn.ModuleList(MaskedLinear(np.ones((b, a), bool), stream) for a, b in zip(sizes, sizes[1:]))

    def _forward(self, h, stream=None):
        *hidden, last = self.network_
        for layer in hidden:
            h = dropout(nn.functional.silu(layer(h)), DROPOUT, stream)
        return last(h)[:, 0]

    def _train(self, X, y, stream):
        optimizer = torch.optim.AdamW(self.network_.parameters(), lr=self.learning_rate, weight_decay=1e-2, fused=True)
        steps = self.max_iter * -(-len(X) // self.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.learning_rate, total_steps=steps)
        for _ in range(self.max_iter):
            for batch in torch.randperm(len(X), generator=stream).split(self.batch_size):
                loss = nn.functional.binary_cross_entropy_with_logits(self._forward(X[batch], stream), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()

    @torch.no_grad()
    def decision_function(self, X):
        return self._forward(torch.as_tensor(np.asarray(X, dtype=np.float64))).numpy()

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def make_boosting(nominal, n_rows):
    """Boosted trees, fewer for few rows and larger for many."""
    return HistGradientBoostingClassifier(
        max_iter=int(np.clip(n_rows // 10, 20, 100)),
        max_leaf_nodes=int(np.clip(n_rows // ROWS_PER_LEAF, *LEAVES)),
        l2_regularization=1.0,
        categorical_features=nominal if nominal.any() else None,
        early_stopping=False,
    )


def make_mlp(nominal, n_rows):
    """The perceptron behind one-hot categories and the normal scores of numbers."""
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False)
    scores = QuantileTransformer(n_quantiles=min(n_rows, 200), output_distribution="normal")
    columns = make_column_transformer((one_hot, np.flatnonzero(nominal)), (scores, np.flatnonzero(~nominal)))
    return make_pipeline(columns, TorchMLPClassifier())


def make_discriminator(discriminator, nominal, n_rows, rng):
    """Unfitted classifier for a name or an estimator, seeded from `rng` wherever it is random."""
    makers = {"boosting": make_boosting, "mlp": make_mlp}
    named = isinstance(discriminator, str)
    classifier = makers[discriminator](nominal, n_rows) if named else clone(discriminator)
    for name in sorted(classifier.get_params()):
        if name.rsplit("__", 1)[-1] == "random_state":
            classifier.set_params(**{name: int(rng.randint(2**31 - 1))})
    return classifier


def fit_discriminator(classifier, real, fake):
    """Fit a classifier on equally many real and model rows, given as matrices of features."""
    X = np.concatenate([real, fake])
    y = np.repeat([1, 0], [len(real), len(fake)])
    return classifier.fit(X, y)


def logits(classifier, X):
    """Logit of Pr(row is real), clipped, float64 of shape (n,)."""
    if hasattr(classifier, "predict_proba"):
        value = logit(classifier.predict_proba(X)[:, 1])
    else:
        value = classifier.decision_function(X)
    return np.clip(np.asarray(value, dtype=np.float64), -MAX_LOGIT, MAX_LOGIT)


def tilt(discriminators, X):
    """Sum of alpha D over pairs (alpha, discriminator), float64 of shape (n,)."""
    total = np.zeros(len(X))
    for alpha, classifier in discriminators:
        total += alpha * logits(classifier, X)
    return total
