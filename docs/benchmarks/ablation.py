"""What each stage of the fit is worth: the figures of benchmark.py with stages left out or exchanged.

Run as ``python docs/benchmarks/ablation.py FOLDER [--tables magic adult] [--seeds 0 1 2] [--rows 5000]``. Within a
table and seed all variants have the same prior and the same warm start, as far as they have one; only "prior" itself is
fitted to all rows, and the others' to those that are not held out. One JSON line a run goes to stdout; to stderr the
medians over seeds.
"""

import json
import sys
import warnings
from contextlib import ExitStack
from dataclasses import replace
from unittest import mock

import numpy as np
import pandas as pd
import torch
from benchmark import evaluate, medians, parser_of_tables, tables, tell_versions
from sklearn.base import BaseEstimator, ClassifierMixin
from torch.nn.functional import softplus

from skgmmgan import GMMGAN, _discriminator, _refinement, _steps, _training

PENALTY = 0.1  # on the squared gradients of the relativistic discriminator
PARTNERS = 8  # of a row whose packs are scored
TAUGHT = 20  # rows drawn to teach the generator, for each training row, ...
TEACHING_RATE = 0.2  # ... with this part of the learning rate of the warm start


class RelativisticMLP(_discriminator.TorchMLPClassifier):
    """A perceptron that compares real rows with model rows, its gradients penalised at both [1]_.

    References
    ----------
    .. [1] Y. Huang, A. Gokaslan, V. Kuleshov and J. Tompkin, "The GAN is dead; long live the GAN! A modern GAN
       baseline", NeurIPS 2024.
    """

    @staticmethod
    def _layers(sizes, stream):
        with torch.random.fork_rng():
            torch.manual_seed(stream.initial_seed())
            return torch.nn.ModuleList(map(torch.nn.Linear, sizes, sizes[1:]))  # differentiable twice

    def _train(self, X, y, stream):
        optimizer = torch.optim.Adam(self.network_.parameters(), lr=self.learning_rate, fused=True)
        real, fake = X[y == 1], X[y == 0]
        for _ in range(self.max_iter):
            orders = [torch.randperm(len(rows), generator=stream).split(self.batch_size) for rows in (real, fake)]
            for pair in zip(*orders):
                batches = [rows[index].requires_grad_() for rows, index in zip((real, fake), pair)]
                told = [self._forward(batch) for batch in batches]
                slopes = torch.autograd.grad([t.sum() for t in told], batches, create_graph=True)
                size = min(map(len, told))
                loss = softplus(told[1][:size] - told[0][:size]).mean()
                loss = loss + PENALTY / 2 * sum((slope**2).sum(1).mean() for slope in slopes)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


class Packed(ClassifierMixin, BaseEstimator):
    """A discriminator of pairs of rows of one kind; a row alone is scored beside some of the model's [1]_.

    References
    ----------
    .. [1] Z. Lin, A. Khetan, G. Fanti and S. Oh, "PacGAN: the power of two samples in generative adversarial
       networks", NeurIPS 2018.
    """

    def __init__(self, classifier, random_state=0):
        self.classifier = classifier
        self.random_state = random_state

    def fit(self, X, y):
        rng = np.random.RandomState(self.random_state)
        self.classes_ = np.unique(y)
        partners = np.concatenate([rng.permutation(np.flatnonzero(y == label)) for label in y[[0, -1]]])
        self.classifier.fit(np.column_stack([X, X[partners]]), y)
        self.partners_ = X[rng.choice(np.flatnonzero(y == 0), PARTNERS)]
        return self

    def decision_function(self, X):
        packs = (np.column_stack([X, np.tile(partner, (len(X), 1))]) for partner in self.partners_)
        return np.mean([_discriminator.logits(self.classifier, pack) for pack in packs], axis=0)


def make_packed(nominal, n_rows, make=_discriminator.make_boosting):
    """Boosted trees of pairs of rows."""
    return Packed(make(np.tile(nominal, 2), n_rows))


def keep_and_teach(model, real, folds, settings, rng):
    """Keep discriminators, have the generator learn from rows that they accept, and keep discriminators anew.

    What is learned stays if the held-out likelihood of the generator alone has risen.
    """
    critics = _refinement.Critics(model, real, folds, settings)
    held = _steps.to_tensors(model, real[folds[0][1]], rng)
    _refinement.keep(model, critics, settings, rng)
    taught = model.sample(TAUGHT * len(real), rng)
    model.kept, model.log_cap, model.log_normalizer, model.log_normalizer_std = [], 0.0, 0.0, 0.0
    before = _steps.row_log_prob(model.working_generator(), held)
    epoch = _training.LikelihoodEpochs(model, taught, replace(settings, rate_factor=TEACHING_RATE), rng)
    epoch.run()
    gain = _steps.row_log_prob(epoch.average.module, held) - before
    settings.record(stage="teach", held_out_gain=float(gain.mean()))
    if gain.mean() > 0:
        _steps.copy_weights(epoch.average.module, model.generator)
    _refinement.keep(model, critics, settings, rng)


class Variant(GMMGAN):
    """A GMMGAN fitted with other parts of the package: a dict from their names."""

    parts = {}

    def fit(self, X, y=None):
        with ExitStack() as stack:
            for name, part in self.parts.items():
                stack.enter_context(mock.patch(f"skgmmgan.{name}", part))
            return super().fit(X, y)


ABSORB = {"adversarial_weight": 0.3, "keep_discriminators": False}
RELATIVISTIC = {"_discriminator.TorchMLPClassifier": RelativisticMLP}
VARIANTS = {  # parameters, and exchanged parts
    "prior": ({"max_epochs": 0, "adversarial_rounds": 0}, {}),
    "warm start": ({"adversarial_rounds": 0}, {}),
    "keep trees": ({}, {}),  # the default
    "keep trees, no warm start": ({"max_epochs": 0}, {}),
    "keep trees, alpha up to 16": ({}, {"_refinement.MAX_ALPHA": 16.0}),
    "keep trees, teach, keep trees": ({}, {"_training.refine": keep_and_teach}),
    "keep perceptrons": ({"discriminator": "mlp"}, {}),
    "keep relativistic perceptrons": ({"discriminator": "mlp"}, RELATIVISTIC),
    "absorb, reverse KL": (ABSORB, {}),
    "absorb, minimax": (ABSORB | {"adversarial_loss": "minimax"}, {}),
    "absorb, non-saturating": (ABSORB | {"adversarial_loss": "non_saturating"}, {}),
    "absorb, weight .1": (ABSORB | {"adversarial_weight": 0.1}, {}),
    "absorb, weight .03": (ABSORB | {"adversarial_weight": 0.03}, {}),
    "absorb relativistic perceptrons": (ABSORB | {"discriminator": "mlp"}, RELATIVISTIC),
    "absorb packs of two": (ABSORB, {"_discriminator.make_boosting": make_packed}),
    "absorb, then keep trees": ({"adversarial_weight": 0.3}, {}),
}


def main():
    """Run all variants."""
    parser = parser_of_tables(__doc__, rows=5000)
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args()
    tell_versions("skgmmgan", "numpy", "scikit-learn", "torch")
    results = []
    for seed in options.seeds:
        for table, train, test, target in tables(options.folder, options.tables, options.rows):
            for name in options.variants:
                params, parts = VARIANTS[name]
                model = Variant(random_state=seed, **params)
                model.parts = parts
                results.append({"table": table} | evaluate(name, model, train, test, target, seed))
                print(json.dumps(results[-1]), flush=True)
    print(medians(pd.DataFrame(results)).round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
