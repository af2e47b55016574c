"""The one training loop: likelihood warm start, then adversarial rounds, each kept only if held-out rows say so."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.stats import sem
from sklearn.model_selection import KFold

from ._discriminator import fit_discriminator, logits, make_discriminator, rewards, tilt
from ._em import FEW_ROWS
from ._model import CHUNK, choose_cap, log_mean_exp, n_proposals, seeded_stream

MAX_EPOCH_STEPS = 150  # an epoch of a larger table is a random part of it
EMA_HALF_STEPS = 100  # memory of the moving average of the weights
RISE = (10, 50)  # epochs and steps, in the fewer of which the learning rate rises; averaged weights need no decay
MAX_GRADIENT_NORM = 5.0
LEARNING_RATE = 0.004  # with ...
LEARNING_BATCH = 256  # ... at most so many rows in a batch
LEVEL_LEARNING_RATE = 2.0  # of the network's table of levels, relative to most others, ...
OUTPUT_LEARNING_RATE = 0.25  # ... and of its last weights
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
MIN_HELD_OUT = 100  # rows
WARM_START_FOLDS = 3  # with few rows
MIN_NETWORK_ROWS = 20  # with fewer rows the prior is all that can be learned, ...
MIN_ADVERSARIAL_ROWS = 50  # ... or all that a discriminator could improve


@dataclass
class Settings:
    """What the loop is told by the parameters of the estimator."""

    max_epochs: int
    n_iter_no_change: int
    batch_size: object
    learning_rate: object
    rate_factor: float  # on the learning rate
    adversarial_rounds: int
    adversarial_weight: float
    adversarial_loss: str
    discriminator: object
    keep_discriminators: bool
    validation_fraction: float
    progress: object  # wraps an iterable in a progress bar, or leaves it alone
    history: list

    def record(self, **entry):
        self.history.append(entry)


def to_tensors(model, values, rng):
    """Coordinates and codes of values, spread inside their rounding step, on the device of the model."""
    rows = model.codec.encode(values, rng)
    z = torch.as_tensor(rows.z, dtype=torch.float32, device=model.device)
    return z, torch.as_tensor(rows.codes, device=model.device)


def batch_size_for(n, batch_size):
    """Given or, for "auto", a power of two such that an epoch has some thirty steps."""
    if batch_size != "auto":
        return min(batch_size, n)
    return min(n, int(np.clip(2 ** round(np.log2(n / 32)), 16, 512)))


def learning_rate_for(batch_size, settings):
    """Given or, for "auto", one that grows with the square root of large batches [1]_.

    References
    ----------
    .. [1] S. Malladi, K. Lyu, A. Panigrahi and S. Arora, "On the SDEs and scaling rules for adaptive gradient
       algorithms", NeurIPS 2022.
    """
    rate = settings.learning_rate
    if rate == "auto":
        rate = LEARNING_RATE * max(1.0, batch_size / LEARNING_BATCH) ** 0.5
    return settings.rate_factor * rate


class MovingAverage:
    """Exponential moving average of a module's parameters, young at first."""

    def __init__(self, module):
        self.module = copy.deepcopy(module)
        self.steps = 0

    @torch.no_grad()
    def update(self, module):
        self.steps += 1
        rate = 1 / min(self.steps + 1, EMA_HALF_STEPS)
        for average, current in zip(self.module.parameters(), module.parameters()):
            average.lerp_(current, rate)


def copy_weights(source, target):
    """Copy parameters, not buffers: the target keeps its precision and device."""
    with torch.no_grad():
        for a, b in zip(target.parameters(), source.parameters()):
            a.copy_(b)


@torch.no_grad()
def row_log_prob(generator, tensors):
    chunk = max(1, CHUNK // generator.n_variants)
    parts = [generator.row_log_prob(z, codes) for z, codes in zip(*(t.split(chunk) for t in tensors))]
    return torch.cat(parts).double().cpu().numpy()


def make_optimizer(generator, learning_rate):
    """Adam, with larger steps of the levels and smaller ones of the last weights, which add up over a wide layer [1]_.

    References
    ----------
    .. [1] G. Yang and E. J. Hu, "Tensor Programs IV: feature learning in infinite-width neural networks", ICML 2021.
    """
    network = generator.network
    factors = {network.levels: LEVEL_LEARNING_RATE, network.last.weight: OUTPUT_LEARNING_RATE}
    groups = [{"params": [p], "lr": learning_rate * factors.get(p, 1.0)} for p in generator.parameters()]
    return torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)


def take_step(generator, optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    generator.network.mask_gradients()
    torch.nn.utils.clip_grad_norm_(generator.parameters(), MAX_GRADIENT_NORM)
    optimizer.step()


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


def exceeds_error(gain, further_std=0.0):
    """Whether a paired gain exceeds one standard error; `further_std` is that of a constant in it."""
    return len(gain) > 1 and gain.mean() > np.hypot(sem(gain), further_std)


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
