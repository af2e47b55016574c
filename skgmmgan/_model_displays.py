"""Pictures of a fitted model: its components, and how the fit went."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._comparison import matrices_of
from ._display import MARK, REAL, SYNTHETIC, Display, end_ticks, equal_bins, positions, read, set_ticks, short

MIN_COMPONENT_ROWS = 5


class ComponentsDisplay(Display):
    """Real and sampled rows in two columns, and an ellipse for each component of the mixture.

    The mixture lives in coordinates, where an ellipse of the columns has no exact counterpart. So each ellipse is
    estimated from the sampled rows, weighted by their responsibilities: two standard deviations of the component, in
    units of the columns. A component with fewer than five rows has none.

    Parameters
    ----------
    names : tuple of two names
        The columns.
    real : ndarray of shape (n_real, 2)
        Real rows in which both columns are present.
    synthetic : ndarray of shape (n_synthetic, 2)
        Sampled rows in which both columns are present.
    means : ndarray of shape (n_components, 2)
        Means of the components, in units of the columns; NaN for a component without an ellipse.
    covariances : ndarray of shape (n_components, 2, 2)
        Their covariances.
    ticks : tuple of two, default=(None, None)
        For each column None or, if it holds times, positions and texts of its ends.

    Attributes
    ----------
    axes_ : ndarray of shape (1,)
        Where it was drawn.
    figure_ : Figure
        The figure that holds it.
    ellipses_ : dict from int to Polygon
        The ellipse of each component that has one.
    """

    def __init__(self, names, real, synthetic, means, covariances, ticks=(None, None)):
        self.names, self.real, self.synthetic = names, real, synthetic
        self.means, self.covariances, self.ticks = means, covariances, ticks

    @classmethod
    def from_estimator(cls, model, X, columns, *, n_samples=1000, random_state=None, ax=None):
        """Sample rows and draw them.

        Parameters
        ----------
        model : GMMGAN
            A fitted model.
        X : array-like or DataFrame of shape (n_rows, n_features)
            Real rows; at most `n_samples` of them are shown.
        columns : tuple of two names
            Columns of numbers or times (indices for an array).
        n_samples : int, default=1000
            How many rows are sampled.
        random_state : int, RandomState instance or None, default=None
            Seed of the sample; None continues the model's own stream.
        ax : Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ComponentsDisplay
            What was computed and drawn.
        """
        check_is_fitted(model)
        if not hasattr(model, "component_summary"):
            raise TypeError(f"A {type(model).__name__} does not tell the components of rows; give a GMMGAN.")
        (real,), table = read(X)
        if len(columns) != 2:
            raise ValueError(f"columns={columns!r} must be two names.")
        at = positions(table, columns)
        for j in at:
            if table.columns[j].categories is not None:
                raise ValueError(f"Column {table.names[j]!r} holds categories; choose two columns of numbers or times.")
        rows, _ = model.sample(n_samples, random_state=random_state)
        responsibilities = model.predict_proba(rows)
        order = check_random_state(random_state).permutation(len(real))[:n_samples]
        real, synthetic = real[order][:, at], matrices_of(X, rows)[0][1][:, at]
        real, present = real[~np.isnan(real).any(axis=1)], ~np.isnan(synthetic).any(axis=1)
        synthetic = synthetic[present]
        means, covariances = zip(*(_moments(synthetic, weights) for weights in responsibilities[present].T))
        ticks = tuple(end_ticks(table.columns[j], equal_bins(x)) for j, x in zip(at, real.T))
        return cls(tuple(columns), real, synthetic, np.array(means), np.array(covariances), ticks).plot(ax)

    def _draw(self, ax):
        from matplotlib.patches import Polygon

        for rows, colour, label in [(self.real, REAL, "real"), (self.synthetic, SYNTHETIC, "sampled")]:
            ax.scatter(*rows.T, s=5, color=colour, alpha=0.35, linewidths=0, label=label)
        self.ellipses_ = {}
        box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
        for k in np.flatnonzero(~np.isnan(self.means).any(axis=1)).tolist():
            outline = Polygon(_ellipse(self.means[k], self.covariances[k]), fill=False, color=MARK, linewidth=1)
            self.ellipses_[k] = ax.add_patch(outline)
            ax.annotate(str(k), self.means[k], fontsize=8, ha="center", va="center", bbox=box)
        ax.autoscale_view()
        ax.set(xlabel=short(self.names[0], 40), ylabel=short(self.names[1], 40))
        for axis, ticks in zip((ax.xaxis, ax.yaxis), self.ticks):
            if ticks is not None:
                set_ticks(axis, ticks)
        ax.set_title("components of the mixture: two standard deviations", fontsize=9)
        ax.legend(markerscale=3, fontsize=8)


def _moments(rows, weights):
    """Weighted mean (2,) and covariance (2, 2) of rows; NaN with too few of them."""
    if weights.sum() < MIN_COMPONENT_ROWS:
        return np.full(2, np.nan), np.full((2, 2), np.nan)
    return np.average(rows, axis=0, weights=weights), np.cov(rows.T, aweights=weights, ddof=0)


def _ellipse(mean, covariance, n_std=2.0):
    """Points (100, 2) of an ellipse, from the Cholesky factor: units of the columns may differ by any factor."""
    std = np.sqrt(covariance[0, 0])
    slope = covariance[0, 1] / std if std else 0.0
    rest = np.sqrt(max(0.0, covariance[1, 1] - slope**2))
    angle = np.linspace(0, 2 * np.pi, 100)
    x, y = np.cos(angle), np.sin(angle)
    return mean + n_std * np.column_stack([std * x, slope * x + rest * y])


class HistoryDisplay(Display):
    """How a fit went: losses, gains on held-out rows, and what was selected.

    The panels are the losses of the warm start, what its epochs gain over the prior on held-out rows, and what each
    adversarial round gains over the one before. All are in nats per row, in the coordinates of the mixture.

    Parameters
    ----------
    history : list of dict
        `history_` of a fitted model.

    Attributes
    ----------
    axes_ : ndarray of shape (3,)
        Axes of the losses, the gains of epochs, and the gains of rounds.
    figure_ : Figure
        The figure that holds them.
    """

    def __init__(self, history):
        self.history = history

    @classmethod
    def from_estimator(cls, model, *, ax=None):
        """Draw the history of a model.

        Parameters
        ----------
        model : GMMGAN or GMMGANClassifier
            A fitted model.
        ax : array-like of three Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : HistoryDisplay
            What was drawn.
        """
        check_is_fitted(model)
        return cls(model.history_).plot(ax)

    def _layout(self):
        return 3, 3, (4.2, 3.6)

    def _draw(self, losses, gains, rounds):
        _draw_losses(losses, self._entries("warm start"), self._entries("all rows"))
        _draw_gains(gains, self._entries("warm start"), self._selected("epoch "))
        _draw_rounds(rounds, self._entries("absorb", "keep"), self._selected(" kept"))

    def _entries(self, *stages):
        return [entry for entry in self.history if entry["stage"] in stages]

    def _selected(self, what):
        """What was selected, in words with `what` among them; None if nothing was."""
        return next((e["selected"] for e in self._entries("selection") if what in e["selected"]), None)


def _has_any(ax, entries, what):
    """Whether there are entries; if not, the axes say so."""
    if not entries:
        ax.text(0.5, 0.5, f"no {what}", transform=ax.transAxes, ha="center", va="center")
        ax.set(xticks=[], yticks=[])
    return bool(entries)


def _draw_losses(ax, epochs, on_all_rows):
    """Losses of training and held-out rows by epoch, and of further epochs on all rows."""
    ax.set(title="warm start: loss", xlabel="epoch", ylabel="nats per row")
    if not _has_any(ax, epochs, "epochs"):
        return
    lines = [
        (epochs, "generator_loss", 1, {"color": REAL, "label": "training rows"}),
        (epochs, "held_out_log_likelihood", -1, {"color": SYNTHETIC, "label": "held-out rows"}),
        (on_all_rows, "generator_loss", 1, {"color": MARK, "linestyle": "--", "label": "all rows, afterwards"}),
    ]
    for entries, name, sign, style in lines:
        if entries:
            ax.plot([e["epoch"] for e in entries], [sign * e[name] for e in entries], marker=".", **style)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(fontsize=8)


def _draw_gains(ax, epochs, selected):
    """Gain on held-out rows by epoch, the prior being epoch 0, and the epoch that was selected."""
    ax.set(title="warm start: gain over the prior", xlabel="epoch", ylabel="nats per held-out row")
    if not _has_any(ax, epochs, "epochs"):
        return
    gain = {0: 0.0} | {entry["epoch"]: entry["held_out_gain"] for entry in epochs}
    ax.axhline(0, color=MARK, linewidth=0.5)
    ax.plot(list(gain), list(gain.values()), ".-", color=SYNTHETIC)
    if selected:
        best = int(selected.removeprefix("epoch "))
        ax.plot(best, gain[best], "*", color=MARK, markersize=12, label=f"selected: {selected}")
        ax.legend(fontsize=8)
    ax.xaxis.get_major_locator().set_params(integer=True)


def _draw_rounds(ax, rounds, selected):
    """Gain on held-out rows of each adversarial round, its standard error where it is known, and whether it stays."""
    ax.set(title=f"adversarial rounds: {selected or 'gain'}", ylabel="nats per held-out row")
    if not _has_any(ax, rounds, "rounds"):
        return
    gains = np.array([entry["held_out_gain"] for entry in rounds])
    stds = np.array([entry.get("held_out_gain_std", np.nan) for entry in rounds])
    kept = np.array([entry["kept"] for entry in rounds])
    ax.axhline(0, color=MARK, linewidth=0.5)
    open_bars = {"facecolor": "white", "edgecolor": SYNTHETIC, "hatch": "///"}
    for which, label, style in [(kept, "kept", {"color": SYNTHETIC}), (~kept, "not kept", open_bars)]:
        if which.any():
            ax.bar(np.flatnonzero(which), gains[which], yerr=stds[which], capsize=3, label=label, **style)
    names = [f"{e['stage']} {e['round']}" + (f", alpha {e['alpha']:.2f}" if "alpha" in e else "") for e in rounds]
    ax.set_xticks(range(len(rounds)), names, rotation=90, fontsize=7)
    ax.legend(fontsize=8)
