"""Adversarial rounds: the generator absorbs discriminators, then the density keeps them, as long as it gains."""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import sem

from ._discriminator import fit_discriminator, logits, make_discriminator, rewards, tilt
from ._model import choose_cap, log_mean_exp, n_proposals, seeded_stream
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

ABSORB_STEPS = 200  # generator steps in one adversarial round
FRESH_STEPS = 10  # generator steps that use the same model rows
ABSORB_LEARNING_RATE = 0.05  # relative to the warm start
MAX_ALPHA = 4.0
MAX_DISCRIMINATOR_ROWS = 50_000  # real rows that train one discriminator, ...
MAX_DISCRIMINATOR_CELLS = 5_000_000  # ... fewer if they have many columns
RENEWED = 0.25  # of the generator's rows, before the next discriminator is trained
NORMALIZER_STD = 0.009  # nats; model rows are drawn until log Z is known so well
MIN_REFERENCE_ROWS = 20_000
MAX_REFERENCE_ROWS = 100_000  # to begin with


class Critics:
    """Real rows in folds, and a discriminator for each fold that has not seen it."""

    def __init__(self, model, real, folds, settings):
        self.model = model
        self.features = model.codec.features(model.as_given(real))
        self.folds = folds
        self.settings = settings

    @property
    def n_rows(self):
        """Rows of the model that the discriminators need."""
        most = min(MAX_DISCRIMINATOR_ROWS, MAX_DISCRIMINATOR_CELLS // self.features.shape[1])
        return min(max(len(train) for train, _ in self.folds), most)

    def fit(self, fake, rng, n_folds=None):
        """Discriminators between the real rows of each fold and as many of the model's, given as features."""
        return [self._fit(rng.permutation(train)[: len(fake)], fake, rng) for train, _ in self.folds[:n_folds]]

    def _fit(self, train, fake, rng):
        classifier = make_discriminator(self.settings.discriminator, self.model.codec.nominal, len(train), rng)
        return fit_discriminator(classifier, self.features[train], fake[: len(train)])

    def held_out_logits(self, classifiers):
        """Logits of the held-out real rows of all folds, in one array."""
        return np.concatenate([logits(c, self.features[held]) for c, (_, held) in zip(classifiers, self.folds)])


def refine(model, real, folds, settings, rng):
    """Adversarial rounds: the generator absorbs discriminators, then the model keeps them.

    Parameters
    ----------
    real : values of the real rows
    folds : pairs of positions in `real`: those that train a discriminator, and those held out from it
    """
    critics = Critics(model, real, folds, settings)
    if settings.adversarial_weight > 0:
        absorb(model, critics, real, settings, rng)
        model.measure_bounds(rng)
    if settings.keep_discriminators:
        keep(model, critics, settings, rng)


def absorb(model, critics, real, settings, rng):
    """Rounds of generator steps on (1 - weight) NLL(real rows) - weight E[reward x log p_G]."""
    train = real[critics.folds[0][0]]
    held = to_tensors(model, real[critics.folds[0][1]], rng)
    for round_ in settings.progress(range(1, settings.adversarial_rounds + 1), desc="adversarial"):
        fake = model.codec.features(model.sample(critics.n_rows, rng))
        (classifier,) = critics.fit(fake, rng, n_folds=1)
        before = row_log_prob(model.working_generator(), held)
        average, losses = absorb_round(model, classifier, train, settings, rng)
        gain = row_log_prob(average, held) - before
        accepted = exceeds_error(gain)
        settings.record(
            stage="absorb", round=round_, generator_loss=losses, held_out_gain=float(gain.mean()), kept=bool(accepted)
        )
        if not accepted:
            break
        copy_weights(average, model.generator)


def absorb_round(model, classifier, train, settings, rng):
    """Generator steps against one discriminator; the moving average of the generator, and the mean loss.

    The gradient of the second term is the score-function estimator [1]_: discrete units need no relaxation.

    References
    ----------
    .. [1] R. J. Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
       learning", Machine Learning 8, 1992.
    """
    generator = model.working_generator()  # without dropout: rewards belong to the density that drew the rows
    average = MovingAverage(generator)
    size = batch_size_for(len(train), settings.batch_size)
    optimizer = make_optimizer(generator, ABSORB_LEARNING_RATE * learning_rate_for(size, settings))
    stream = seeded_stream(model.device, rng)
    weight, losses = settings.adversarial_weight, []
    for _ in range(ABSORB_STEPS // FRESH_STEPS):
        fake = generator.sample(FRESH_STEPS * size, stream)
        values = model.decode(*fake, rng)
        reward = rewards(logits(classifier, model.codec.features(values)), settings.adversarial_loss)
        reward = torch.as_tensor(reward, dtype=torch.float32, device=model.device)
        rows = train[rng.randint(len(train), size=FRESH_STEPS * size)]
        batches = zip(*(t.split(size) for t in (*fake, reward, *to_tensors(model, rows, rng))))
        for z, codes, r, real_z, real_codes in batches:
            likelihood = generator.row_log_prob(real_z, real_codes).mean()
            loss = -(1 - weight) * likelihood - weight * (r * generator.row_log_prob(z, codes)).mean()
            take_step(generator, optimizer, loss)
            average.update(generator)
            losses.append(loss.item())
    return average.module, float(np.mean(losses))


class Proposals:
    """Rows of the generator: their features, and the sum of alpha D that the model gives them so far."""

    def __init__(self, model, n, rng):
        self.model = model
        self.features = np.empty((0, len(model.codec.columns)))
        self.log_tilt = np.empty(0)
        self.n_kept = 0  # discriminators in the tilt
        self.grow(n, rng)

    def grow(self, n, rng):
        features = self.model.codec.features(self.model.propose(n, rng))
        self.features = np.concatenate([self.features, features])
        self.log_tilt = np.concatenate([self.log_tilt, tilt(self.model.kept, features)])

    def renew(self, rng):
        """Give the rows the tilt of what the model has kept since, and draw the oldest ones anew."""
        new = self.model.kept[self.n_kept :]
        if new:
            n_old = int(RENEWED * len(self.log_tilt))
            self.features, self.log_tilt = self.features[n_old:], self.log_tilt[n_old:]
            self.log_tilt += tilt(new, self.features)
            self.n_kept = len(self.model.kept)
            self.grow(n_old, rng)

    def accepted(self, n, rng):
        """Features of n rows, those that rejection leaves; further proposals wherever they are too few."""
        while True:
            accepted = np.flatnonzero(self.model.accepts(self.log_tilt, rng))
            if len(accepted) >= n:
                return self.features[rng.permutation(accepted)[:n]]
            rate = max(len(accepted) / len(self.log_tilt), self.model.min_acceptance)
            self.grow(n_proposals(n - len(accepted), rate), rng)


def keep(model, critics, settings, rng):
    """Rounds that multiply the density by exp(alpha D), while the gain on held-out rows exceeds its error."""
    n_real = len(critics.features)
    proposals = Proposals(model, critics.n_rows, rng)  # that train discriminators
    # those that train none give the cap, log Z and the line search
    reference = Proposals(model, int(np.clip(2 * n_real, MIN_REFERENCE_ROWS, MAX_REFERENCE_ROWS)), rng)
    held_tilt = np.zeros(sum(len(held) for _, held in critics.folds))
    for round_ in settings.progress(range(1, settings.adversarial_rounds + 1), desc="discriminators"):
        proposals.renew(rng)
        classifiers = critics.fit(proposals.accepted(critics.n_rows, rng), rng)
        held_logits = critics.held_out_logits(classifiers)
        reference_logits = np.mean([logits(c, reference.features) for c in classifiers], axis=0)
        alpha = line_search(model, held_tilt, held_logits, reference.log_tilt, reference_logits)
        held_new, reference_new = held_tilt + alpha * held_logits, reference.log_tilt + alpha * reference_logits
        gain, log_cap, log_z, log_z_std = tilt_gain(model, held_tilt, held_new, reference_new)
        kept = exceeds_error(gain, log_z_std)
        weights = np.exp(np.minimum(reference_new, log_cap) - log_cap)
        settings.record(
            stage="keep",
            round=round_,
            discriminator_loss=float(np.logaddexp(0.0, -held_logits).mean()),
            alpha=float(alpha),
            held_out_gain=float(gain.mean()),
            held_out_gain_std=float(sem(gain)),
            acceptance=float(weights.mean()),
            effective_sample_size=float(weights.sum() ** 2 / (weights**2).sum()),
            log_normalizer=float(log_z),
            kept=bool(kept),
        )
        if not kept:
            break
        held_tilt, reference.log_tilt = held_new, reference_new
        model.keep([(alpha / len(classifiers), c) for c in classifiers], log_cap, log_z, log_z_std)
    measure_normalizer(model, reference, rng)
    reason = "the gain of the next round does not exceed one standard error, or rounds are used up"
    settings.record(stage="selection", selected=f"{len(model.kept)} discriminators kept", reason=reason)


def tilt_gain(model, held_old, held_new, reference_new):
    """Gain of each held-out row, (n,), with the new log-cap, log Z and its standard error.

    The mean gain is the Donsker-Varadhan bound mean(alpha D over real rows) - log mean(exp(alpha D) over model rows)
    with both sides capped [1]_.

    References
    ----------
    .. [1] M. D. Donsker and S. R. S. Varadhan, "Asymptotic evaluation of certain Markov process expectations for
       large time", Communications on Pure and Applied Mathematics 28, 1975.
    """
    log_cap = choose_cap(reference_new, model.min_acceptance)
    log_z, log_z_std = log_mean_exp(np.minimum(reference_new, log_cap))
    old = np.minimum(held_old, model.log_cap) - model.log_normalizer
    return np.minimum(held_new, log_cap) - log_z - old, log_cap, log_z, log_z_std


def line_search(model, held_tilt, held_logits, reference_tilt, reference_logits):
    """The alpha in [0, MAX_ALPHA] with the highest mean gain on held-out rows."""

    def loss(alpha):
        gain, *_ = tilt_gain(
            model, held_tilt, held_tilt + alpha * held_logits, reference_tilt + alpha * reference_logits
        )
        return -gain.mean()

    return minimize_scalar(loss, bounds=(0.0, MAX_ALPHA), method="bounded", options={"xatol": 0.02}).x


def measure_normalizer(model, reference, rng):
    """Draw further reference rows until log Z is known to NORMALIZER_STD."""
    while model.kept:
        capped = np.minimum(reference.log_tilt, model.log_cap)
        model.log_normalizer, model.log_normalizer_std = log_mean_exp(capped)
        n, std = len(capped), model.log_normalizer_std
        if std <= NORMALIZER_STD:
            return
        reference.grow(int(n * ((std / NORMALIZER_STD) ** 2 - 1) * 1.1) + 1000, rng)
