"""The one training loop: likelihood warm start, then adversarial rounds, each kept only if held-out rows say so."""

import numpy as np
import torch
from sklearn.model_selection import KFold

from ._em import FEW_ROWS
from ._model import seeded_stream
from ._refinement import refine
from ._steps import (
    MovingAverage,
    batch_size_for,
    copy_weights,
    exceeds_error,
    learning_rate_for,
    make_optimizer,
    row_log_prob,
    take_step,
    to_tensors,
)

MAX_EPOCH_STEPS = 150  # an epoch of a larger table is a random part of it
RISE = (10, 50)  # epochs and steps, in the fewer of which the learning rate rises; averaged weights need no decay
MIN_HELD_OUT = 100  # rows
WARM_START_FOLDS = 3  # with few rows
MIN_NETWORK_ROWS = 20  # with fewer rows the prior is all that can be learned, ...
MIN_ADVERSARIAL_ROWS = 50  # ... or all that a discriminator could improve


class LikelihoodEpochs:
    """Epochs of likelihood steps on a working copy of a model's generator, and their moving average."""

    def __init__(self, model, rows, settings, rng):
        self.model, self.rows, self.rng = model, rows, rng
        self.stream = seeded_stream(model.device, rng)
        self.generator = model.working_generator()
        self.generator.soften()
        self.generator.nudge(self.stream)
        self.average = MovingAverage(self.generator)
        self.batch_size = batch_size_for(len(rows), settings.batch_size)
        self.steps = min(-(-len(rows) // self.batch_size), MAX_EPOCH_STEPS)
        self.optimizer = make_optimizer(self.generator, learning_rate_for(self.batch_size, settings))
        rise = min(RISE[0] * self.steps, RISE[1])
        self.schedule = torch.optim.lr_scheduler.LinearLR(self.optimizer, 1 / rise, 1.0, rise)

    def publish(self):
        """Have the model's generator be the moving average."""
        self.model.generator.soften()
        copy_weights(self.average.module, self.model.generator)

    def run(self):
        """One pass over the rows, dequantised afresh; returns the mean loss."""
        order = self.rng.permutation(len(self.rows))[: self.steps * self.batch_size]
        tensors = to_tensors(self.model, self.rows[order], self.rng)
        losses = []
        for z, codes in zip(*(t.split(self.batch_size) for t in tensors)):
            loss = -self.generator.row_log_prob(z, codes, self.stream).mean()
            take_step(self.generator, self.optimizer, loss)
            self.schedule.step()
            self.average.update(self.generator)
            losses.append(loss.item())
        return float(np.mean(losses))


def warm_start(models, values, folds, settings, rng):
    """Maximise the likelihood of each fold's training rows; keep the epoch that the held-out rows of all like best.

    Returns the number of that epoch: 0, the prior, unless the gain exceeds one standard error.
    """
    runs = [LikelihoodEpochs(model, values[train], settings, rng) for model, (train, _) in zip(models, folds)]
    held = [to_tensors(model, values[held], rng) for model, (_, held) in zip(models, folds)]

    def held_out(generators):
        """Log-likelihood of each held-out row, in coordinates."""
        return np.concatenate([row_log_prob(generator, rows) for generator, rows in zip(generators, held)])

    start = best = held_out([model.working_generator() for model in models])
    best_epoch = selected = 0
    for epoch in settings.progress(range(1, settings.max_epochs + 1), desc="network"):
        loss = float(np.mean([run.run() for run in runs]))
        score = held_out([run.average.module for run in runs])
        settings.record(
            stage="warm start",
            epoch=epoch,
            generator_loss=loss,
            held_out_log_likelihood=float(score.mean()),
            held_out_gain=float((score - start).mean()),
        )
        if score.mean() > best.mean():
            best, best_epoch = score, epoch
            if exceeds_error(best - start):
                selected = epoch
                for run in runs:
                    run.publish()
        elif epoch - best_epoch >= settings.n_iter_no_change:
            break
    reason = "highest held-out log-likelihood" if selected else "no epoch beats the prior by one standard error"
    settings.record(stage="selection", selected=f"epoch {selected}", reason=reason)
    return selected


def continue_epochs(model, rows, n_epochs, settings, rng):
    """Maximise the likelihood of all rows for a number of epochs that was chosen before."""
    epochs = LikelihoodEpochs(model, rows, settings, rng)
    for epoch in settings.progress(range(1, n_epochs + 1), desc="all rows"):
        settings.record(stage="all rows", epoch=epoch, generator_loss=epochs.run())
        epochs.publish()


def split_rows(n, validation_fraction, rng):
    """Pairs of positions that train and that select: five folds of few rows, one split of many."""
    if n < FEW_ROWS:
        return list(KFold(min(5, n), shuffle=True, random_state=rng).split(np.empty(n)))
    n_held = min(max(round(validation_fraction * n), MIN_HELD_OUT), n // 2)
    order = rng.permutation(n)
    return [(order[n_held:], order[:n_held])]


def train(build, publish, values, whole, is_new, settings, rng):
    """Prior, warm start and refinement, on a float matrix of at least two rows.

    Parameters
    ----------
    whole : mask of the rows that discriminators may read; the others lack their label
    build : callable (positions of the rows that are known, positions of those that may be fitted) -> Model
        Gives a model to start from.
    publish : callable (Model)
        Told of the model as soon as it can be used; from then on it only gets better.
    is_new : whether a model can be used before its warm start, because there is none yet
    """
    learn = train_few if len(values) < FEW_ROWS else train_many
    model, folds = learn(build, publish if is_new else lambda model: None, values, settings, rng)
    model.learn_bounds(values, rng)
    publish(model)
    if settings.adversarial_rounds and whole.sum() >= MIN_ADVERSARIAL_ROWS:
        refine(model, values[whole], whole_folds(folds, whole, settings, rng), settings, rng)


def whole_folds(folds, whole, settings, rng):
    """Folds of the rows that discriminators may read, as positions among these."""
    if whole.sum() < FEW_ROWS and not whole.all():
        return split_rows(whole.sum(), settings.validation_fraction, rng)
    position = np.cumsum(whole) - 1
    return [tuple(position[part[whole[part]]] for part in fold) for fold in folds]


def train_many(build, publish, values, settings, rng):
    """Warm start on most rows; the others select epochs and discriminators."""
    everything = np.arange(len(values))
    if not (settings.max_epochs or settings.adversarial_rounds):
        return build(everything, everything), None
    folds = split_rows(len(values), settings.validation_fraction, rng)
    model = build(everything, folds[0][0])
    publish(model)
    warm_start([model], values, folds, settings, rng)
    return model, folds


def train_few(build, publish, values, settings, rng):
    """Cross-validated number of warm-start epochs, then those on all rows; discriminators are cross-fitted."""
    everything = np.arange(len(values))
    model = build(everything, everything)
    publish(model)
    if settings.max_epochs and len(values) >= MIN_NETWORK_ROWS:
        folds = list(KFold(WARM_START_FOLDS, shuffle=True, random_state=rng).split(values))
        apart = [build(train, train) for train, _ in folds]
        n_epochs = warm_start(apart, values, folds, settings, rng)
        continue_epochs(model, values, n_epochs, settings, rng)
    return model, split_rows(len(values), settings.validation_fraction, rng)
