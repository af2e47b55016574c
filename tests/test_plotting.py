import sys

import numpy as np
import pytest

from skgmmgan import GMMGAN, GMMGANClassifier
from skgmmgan.plotting import (
    ComponentsDisplay,
    DistanceDisplay,
    GiveawayDisplay,
    HistoryDisplay,
    MarginalsDisplay,
    TrendsDisplay,
)

pd = pytest.importorskip("pandas")
plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("Agg")


def make_table(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n) + 5 * (rng.uniform(size=n) < 0.4)
    return pd.DataFrame(
        {
            "x": np.where(rng.uniform(size=n) < 0.1, np.nan, x),
            "y": x + 0.3 * rng.normal(size=n),
            "n": rng.integers(0, 100, n),
            "cost_$_a_$": rng.gamma(2.0, 1.0, n),
            "c": rng.choice(list("abcdefghijkl"), n, p=np.arange(12, 0, -1) / 78),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D"),
        }
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def real():
    return make_table(400, 0)


@pytest.fixture(scope="module")
def synthetic():
    return make_table(300, 1)


@pytest.fixture(scope="module")
def model(real):
    return GMMGAN(2, max_epochs=2, adversarial_rounds=1, hidden_layer_sizes=(16,), random_state=0).fit(real)


def test_marginals_are_shares(real, synthetic):
    display = MarginalsDisplay.from_tables(real, synthetic)
    assert [m.name for m in display.marginals] == list(real.columns)
    for marginal in display.marginals:
        assert marginal.real.sum() == pytest.approx(1)
        assert marginal.synthetic.sum() == pytest.approx(1)
    missing = display.marginals[0].real[-1], display.marginals[0].synthetic[-1]
    assert missing == pytest.approx((real["x"].isna().mean(), synthetic["x"].isna().mean()))
    for ax in display.axes_:
        heights = [np.nansum(patch.get_data().values) for patch in ax.patches]
        assert heights == pytest.approx([1, 1])


def test_marginals_of_categories(real, synthetic):
    (marginal,) = MarginalsDisplay.from_tables(real, synthetic, columns=["c"], max_levels=3).marginals
    counts = real["c"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    assert marginal.levels == list(counts.index[:3])
    np.testing.assert_allclose(marginal.real, [*counts[:3] / 400, counts[3:].sum() / 400, 0])
    unseen = synthetic.assign(c=np.where(np.arange(300) < 150, "new", None))
    display = MarginalsDisplay.from_tables(real[["c"]], unseen[["c"]], max_levels=12)
    assert display.marginals[0].synthetic[-2:].tolist() == [0.5, 0.5]
    assert [text.get_text() for text in display.axes_[0].get_xticklabels()][-2:] == ["other", "missing"]


def test_marginals_of_numbers():
    values = np.repeat([1.0, 2.0, 4.0], [5, 3, 2])
    display = MarginalsDisplay.from_tables(values[:, None], np.array([[2.0], [9.0], [-3.0], [np.nan]]))
    (marginal,) = display.marginals
    assert marginal.edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert marginal.real.tolist() == [0.5, 0.3, 0, 0.2, 0]
    assert marginal.synthetic.tolist() == [0.25, 0.25, 0, 0.25, 0.25]  # what lies beyond counts in the outermost bins


@pytest.mark.parametrize("values", [[3.0, 3.0], [0.5, 0.5], [np.nan, np.nan], [0.0, 1e-9], [-1e15, 1e15]])
def test_marginals_of_few_values(values):
    (marginal,) = MarginalsDisplay.from_tables(np.array(values)[:, None], np.array([[1.0], [np.nan]])).marginals
    assert (np.diff(marginal.edges) > 0).all()
    assert marginal.real.sum() == marginal.synthetic.sum() == 1


def test_bins_of_integers_hold_equally_many():
    x = np.arange(0, 100)[:, None]
    (marginal,) = MarginalsDisplay.from_tables(x, x).marginals
    assert np.ptp(marginal.real[1:-3]) == pytest.approx(0)


def test_times_are_dates_on_the_axis(real, synthetic):
    display = MarginalsDisplay.from_tables(real, synthetic, columns=["when"])
    texts = [text.get_text() for text in display.axes_[0].get_xticklabels()]
    assert texts[0].startswith("2020-01")
    assert texts[-1].startswith("2021-05")


def test_large_integers_on_the_axis():
    table = pd.DataFrame({"id": 2**60 + np.arange(10)})
    texts = [text.get_text() for text in MarginalsDisplay.from_tables(table, table).axes_[0].get_xticklabels()]
    assert texts == [str(2**60), "+9"]


def test_long_names_are_told_apart():
    levels = [f"a category with a long text {i}" for i in range(5)]
    table = pd.DataFrame({"c": levels})
    texts = [text.get_text() for text in MarginalsDisplay.from_tables(table, table).axes_[0].get_xticklabels()]
    assert len(set(texts)) == 5
    assert max(map(len, texts)) <= 14


def test_largest_differences_are_shown(real):
    wide = pd.concat([real[["n"]].set_axis([f"n{i}"], axis=1) for i in range(6)], axis=1)
    shifted = wide.assign(n1=wide["n1"] + 30, n4=wide["n4"] + 60)
    display = MarginalsDisplay.from_tables(wide, shifted, max_columns=2)
    assert [m.name for m in display.marginals] == ["n1", "n4"]
    assert [ax.get_title() for ax in display.axes_] == ["n1", "n4"]
    assert len(display.figure_.axes) == 2


def test_columns_of_an_array(real, synthetic):
    a, b = (table[["x", "y", "n"]].to_numpy() for table in (real, synthetic))
    display = MarginalsDisplay.from_tables(a, b, columns=[2, 0])
    assert [m.name for m in display.marginals] == [2, 0]
    assert display.axes_[0].get_title() == "2"


def test_polars_tables(real, synthetic):
    pl = pytest.importorskip("polars")
    pytest.importorskip("narwhals")
    a, b = (pl.DataFrame(table.to_dict("list")) for table in (real, synthetic))
    display = MarginalsDisplay.from_tables(a, b)
    expected = MarginalsDisplay.from_tables(real, synthetic)
    for marginal, other in zip(display.marginals[:-1], expected.marginals):
        np.testing.assert_allclose(marginal.real, other.real)
        assert marginal.levels == other.levels
    assert display.axes_[-1].get_xticklabels()[0].get_text() == expected.axes_[-1].get_xticklabels()[0].get_text()


def test_names_without_mathematics(real, synthetic):
    display = MarginalsDisplay.from_tables(real, synthetic, columns=["cost_$_a_$"])
    display.figure_.canvas.draw()
    assert display.axes_[0].get_title() == r"cost_\$_a_\$"


def test_given_axes(real, synthetic):
    figure, axes = plt.subplots(2, 3)
    display = MarginalsDisplay.from_tables(real, synthetic, ax=axes)
    assert display.figure_ is figure
    assert list(display.axes_) == list(axes.flat)
    with pytest.raises(ValueError, match="holds 6 axes; 1 are needed"):
        GiveawayDisplay(["x"], np.zeros((1, 2)), 0.5).plot(axes)
    figure, ax = plt.subplots()
    assert GiveawayDisplay(["x"], np.zeros((1, 2)), 0.5).plot(ax).axes_[0] is ax
    assert len(plt.get_fignums()) == 2


def test_plot_draws_again(real, synthetic):
    display = TrendsDisplay.from_tables(real, synthetic)
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first


def test_association_of_equal_and_of_independent_columns():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    real = pd.DataFrame(
        {"x": x, "cube": x**3, "free": rng.normal(size=2000), "c": rng.choice(list("ab"), 2000), "k": 1}
    )
    real["sign"] = np.where(x > 0, "up", "down")
    display = TrendsDisplay.from_tables(real, real.assign(cube=rng.permutation(real["cube"])))
    v = pd.DataFrame(display.real, real.columns, real.columns)
    np.testing.assert_allclose(v, v.T)
    np.testing.assert_allclose(np.diag(v), [1, 1, 1, 1, 0, 1], atol=1e-9)
    assert v.loc["x", "cube"] == pytest.approx(1)
    assert v.loc["x", "sign"] == pytest.approx(1, abs=0.05)
    assert v.loc["x", "free"] < 0.05
    assert v.loc["c", "sign"] < 0.05
    assert (v["k"] == 0).all()
    assert display.synthetic[0, 1] < 0.05


def test_association_by_hand():
    table = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [30, 10, 20, 40], axis=0)
    phi = 100 * (30 * 40 - 10 * 20) ** 2 / (40 * 60 * 50 * 50) / 100  # chi-squared of a 2 x 2 table, over n
    expected = np.sqrt((phi - 1 / 99) / (2 - 1 / 99 - 1))
    assert TrendsDisplay.from_tables(table, table).real[0, 1] == pytest.approx(expected)


def test_association_with_missing_cells():
    rng = np.random.default_rng(0)
    gap = rng.uniform(size=1000) < 0.5
    table = pd.DataFrame({"x": np.where(gap, np.nan, 1.0), "gap": gap})
    assert TrendsDisplay.from_tables(table, table).real[0, 1] == pytest.approx(1)


def test_repeated_numbers_are_one_bin():
    table = pd.DataFrame({"x": np.repeat([0.0, 1.0], [5, 95]), "y": np.repeat([1.0, 0.0], [5, 95])})
    assert TrendsDisplay.from_tables(table, table).real[0, 1] == pytest.approx(1)


def test_heat_maps(real, synthetic):
    display = TrendsDisplay.from_tables(real, synthetic)
    shown = [ax.images[0] for ax in display.axes_]
    np.testing.assert_allclose(shown[2].get_array(), display.synthetic - display.real)
    assert [image.get_clim() for image in shown[:2]] == [(0, 1), (0, 1)]
    assert shown[2].norm.vmin == -shown[2].norm.vmax
    names = [text.get_text() for text in display.axes_[0].get_yticklabels()]
    assert names[0] == "x"
    assert len(names) == real.shape[1]
    many = TrendsDisplay([f"column {i}" for i in range(80)], np.eye(80), np.eye(80)).plot()
    assert not many.axes_[0].get_xticklabels()


def test_components(real, model):
    display = ComponentsDisplay.from_estimator(model, real, columns=("y", "n"), n_samples=200, random_state=0)
    rows, _ = model.sample(200, random_state=0)
    np.testing.assert_allclose(display.synthetic, rows[["y", "n"]])
    weights = model.predict_proba(rows)
    np.testing.assert_allclose(display.means, weights.T @ rows[["y", "n"]] / weights.sum(axis=0)[:, None])
    assert sorted(display.ellipses_) == [0, 1]
    (ax,) = display.axes_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("y", "n")
    assert [len(points.get_offsets()) for points in ax.collections] == [200, 200]
    for k, patch in display.ellipses_.items():
        deviation = patch.get_xy() - display.means[k]
        distance = np.einsum("ni,ij,nj->n", deviation, np.linalg.inv(display.covariances[k]), deviation)
        np.testing.assert_allclose(distance, 4)


def test_components_in_very_different_units():
    display = ComponentsDisplay(
        ("a", "b"), np.zeros((1, 2)), np.zeros((1, 2)), np.zeros((1, 2)), np.array([[[1e12, 0.9], [0.9, 1e-12]]])
    ).plot()
    x, y = display.ellipses_[0].get_xy().T
    assert np.corrcoef(x[:-1], y[:-1])[0, 1] == pytest.approx(0.9, abs=0.01)


def test_components_of_times_and_missing_cells(real, model):
    display = ComponentsDisplay.from_estimator(model, real, columns=("x", "when"), n_samples=100, random_state=0)
    assert not np.isnan(display.real).any()
    assert not np.isnan(display.synthetic).any()
    assert display.axes_[0].get_yticklabels()[0].get_text().startswith("2020-01")


def test_components_with_few_rows_have_no_ellipse(real, model):
    display = ComponentsDisplay.from_estimator(model, real, columns=("y", "n"), n_samples=4, random_state=0)
    assert not display.ellipses_


def test_components_refuse(real, model):
    with pytest.raises(ValueError, match="Column 'c' holds categories"):
        ComponentsDisplay.from_estimator(model, real, columns=("x", "c"))
    with pytest.raises(ValueError, match="columns names 'z', which is no column"):
        ComponentsDisplay.from_estimator(model, real, columns=("x", "z"))
    with pytest.raises(ValueError, match="must be two names"):
        ComponentsDisplay.from_estimator(model, real, columns=("x", "y", "n"))
    classifier = GMMGANClassifier(1, max_epochs=0, adversarial_rounds=0, random_state=0)
    with pytest.raises(TypeError, match="GMMGANClassifier does not tell"):
        ComponentsDisplay.from_estimator(
            classifier.fit(real[["y", "n"]], real["c"] > "c"), real[["y", "n"]], ("y", "n")
        )
    assert not plt.get_fignums()


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


def test_history_of_few_rows(model):
    losses, gains, rounds = HistoryDisplay.from_estimator(model).axes_
    entries = {
        stage: [e for e in model.history_ if e["stage"] == stage] for stage in ("warm start", "all rows", "keep")
    }
    assert len(entries["warm start"]) == 2
    loss = {line.get_label(): line.get_ydata() for line in losses.lines}
    np.testing.assert_allclose(loss["training rows"], [e["generator_loss"] for e in entries["warm start"]])
    np.testing.assert_allclose(loss["held-out rows"], [-e["held_out_log_likelihood"] for e in entries["warm start"]])
    assert ("all rows, afterwards" in loss) == bool(entries["all rows"])
    np.testing.assert_allclose(gains.lines[1].get_ydata(), [0, *(e["held_out_gain"] for e in entries["warm start"])])
    assert rounds.patches[0].get_height() == pytest.approx(entries["keep"][0]["held_out_gain"])


def test_history_tells_what_was_selected():
    history = [
        {"stage": "warm start", "epoch": e, "generator_loss": 3 - e, "held_out_log_likelihood": e, "held_out_gain": e}
        for e in (1.0, 2.0)
    ]
    history += [{"stage": "selection", "selected": "epoch 2", "reason": ""}]
    history += [{"stage": "all rows", "epoch": e, "generator_loss": 3.0} for e in (1, 2)]
    history += [{"stage": "absorb", "round": 1, "generator_loss": 3.0, "held_out_gain": -0.1, "kept": False}]
    keep = {"stage": "keep", "alpha": 0.5, "held_out_gain_std": 0.1}
    history += [{**keep, "round": 1, "held_out_gain": 0.3, "kept": True}]
    history += [{"stage": "selection", "selected": "1 discriminators kept", "reason": ""}]
    losses, gains, rounds = HistoryDisplay(history).plot().axes_
    assert [line.get_label() for line in losses.lines] == ["training rows", "held-out rows", "all rows, afterwards"]
    assert gains.get_legend().get_texts()[0].get_text() == "selected: epoch 2"
    assert (gains.lines[-1].get_xdata(), gains.lines[-1].get_ydata()) == ([2], [2.0])
    assert rounds.get_title() == "adversarial rounds: 1 discriminators kept"
    assert [text.get_text() for text in rounds.get_xticklabels()] == ["absorb 1", "keep 1, alpha 0.50"]
    assert [text.get_text() for text in rounds.get_legend().get_texts()] == ["kept", "not kept"]
    assert sorted(patch.get_height() for patch in rounds.patches) == pytest.approx([-0.1, 0.3])


def test_history_without_epochs_and_rounds(real):
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=0, random_state=0).fit(real[["y", "n"]])
    display = HistoryDisplay.from_estimator(model)
    assert [texts_of(ax) for ax in display.axes_] == [["no epochs"], ["no epochs"], ["no rounds"]]


def test_history_of_many_rows_without_epochs():
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=1, random_state=0).fit(make_table(1200, 0)[["y", "n"]])
    losses, _, rounds = HistoryDisplay.from_estimator(model).axes_
    assert texts_of(losses) == ["no epochs"]
    assert len(rounds.patches) == 1


def test_the_broken_column_gives_it_away(real, synthetic):
    broken = synthetic.assign(y=np.random.default_rng(0).normal(3, 1, len(synthetic)))
    display = GiveawayDisplay.from_tables(real, broken, random_state=0)
    importances = dict(zip(display.names, display.importances.mean(axis=1)))
    assert max(importances, key=importances.get) == "y"
    assert display.auc > 0.9
    (ax,) = display.axes_
    assert ax.get_yticklabels()[0].get_text() == "y"
    assert ax.patches[0].get_width() == pytest.approx(importances["y"])
    assert f"AUC {display.auc:.3f}" in ax.get_title()
    again = GiveawayDisplay.from_tables(real, broken, random_state=0)
    np.testing.assert_array_equal(again.importances, display.importances)


def test_giveaway_names_twenty_columns_and_ignores_empty_ones():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 90, 25))
    a[:, 3] = b[:, 3] = np.nan
    display = GiveawayDisplay.from_tables(a, b, n_repeats=2, random_state=0)
    assert (display.importances[3] == 0).all()
    assert len(display.axes_[0].patches) == 20


def test_distances():
    rng = np.random.default_rng(0)
    real, holdout = rng.normal(size=(2, 200, 3))
    synthetic = np.concatenate([real[:50], rng.normal(size=(50, 3))])
    display = DistanceDisplay.from_tables(real, synthetic, holdout)
    assert (display.synthetic == 0).sum() == 50
    assert (display.holdout > 0).all()
    scaled = np.abs(real[:, None] - synthetic[None, 60:]) / real.std(axis=0)
    np.testing.assert_allclose(display.synthetic[60:], scaled.sum(axis=2).min(axis=0), rtol=1e-5)
    (ax,) = display.axes_
    assert [np.sum(patch.get_data().values) for patch in ax.patches] == pytest.approx([1, 1])
    assert "50.0% at distance 0" in ax.get_legend().get_texts()[1].get_text()


def test_distances_of_copies():
    table = np.arange(10.0)[:, None]
    display = DistanceDisplay.from_tables(table, table, table)
    assert [patch.get_data().values[0] for patch in display.axes_[0].patches] == [1, 1]


@pytest.mark.parametrize("display", [MarginalsDisplay, TrendsDisplay, GiveawayDisplay])
def test_differing_columns(display, real, synthetic):
    with pytest.raises(ValueError, match="same columns in the same order"):
        display.from_tables(real, synthetic[synthetic.columns[::-1]])
    assert not plt.get_fignums()


def test_unknown_column(real, synthetic):
    with pytest.raises(ValueError, match="columns names 'z', which is no column of the table"):
        MarginalsDisplay.from_tables(real, synthetic, columns=["x", "z"])


def test_without_matplotlib(real, synthetic, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (
        lambda: MarginalsDisplay.from_tables(real, synthetic),
        lambda: ComponentsDisplay.from_estimator(model, real, ("x", "y")),
        lambda: HistoryDisplay.from_estimator(model),
    ):
        with pytest.raises(ImportError, match=r"pip install 'skgmmgan\[plot\]'"):
            draw()


def test_plotting_leaves_settings_alone(real, synthetic):
    figure, ax = plt.subplots()
    before = dict(plt.rcParams)
    TrendsDisplay.from_tables(real, synthetic, ax=plt.figure().subplots(1, 3))
    plt.figure(figure)
    DistanceDisplay.from_tables(real, synthetic, synthetic, ax=ax)
    assert dict(plt.rcParams) == before
    assert plt.gcf() is figure
    assert plt.gca() is ax
