"""One file that executes no code when it is opened, and pickles."""

import json
import pickle
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skgmmgan
from skgmmgan import GMMGAN, GMMGANClassifier, _saving

pytest.importorskip("skops.io")
SHORT = {"max_epochs": 1, "adversarial_rounds": 1, "random_state": 0}
N = 120


@pytest.fixture(scope="module")
def every_dtype():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    number = rng.normal(size=N)
    small = (number > 0).astype(int)
    return pd.DataFrame(
        {
            "float": number,
            "float32": number.astype("float32"),
            "Int64": pd.array(np.where(number > 1, None, small), dtype="Int64"),
            "large": 2**60 + small * 1000,
            "bool": number > 0.3,
            "boolean": pd.array(np.where(number > 1, None, number > 0), dtype="boolean"),
            "text": np.where(number > 0.5, "a", "b"),
            "string": pd.array(np.where(number > 1, None, "x"), dtype="string"),
            "category": pd.Categorical(np.where(small, "p", "q"), categories=["q", "p", "never"], ordered=True),
            "of numbers": pd.Categorical(small),
            "of times": pd.Categorical(pd.to_datetime(np.where(small, "2020-01-01", "2021-01-01"))),
            "of zoned times": pd.Categorical(
                pd.to_datetime(np.where(small, "2020-01-01", "2021-01-01")).tz_localize("Europe/Paris")
            ),
            "zoned": pd.date_range("2024-03-30", periods=N, freq="h", tz="Europe/Paris"),
            "naive": pd.date_range("2024-03-30", periods=N, freq="D").as_unit("ms"),
            "delta": pd.to_timedelta(small, unit="h"),
            "dates": pd.Series([date(2020, 1, 1) + timedelta(days=int(i)) for i in range(N)], dtype=object),
            "decimals": pd.Series([Decimal(int(i)) / 4 for i in small + 1], dtype=object),
            "mixed": pd.Series([1 if i else "one" for i in small], dtype=object),
            "with gaps": pd.Series([None if i else True for i in small], dtype=object),
        }
    )


def saved_and_loaded(model, path):
    skgmmgan.save(model, path)
    return skgmmgan.load(path)


def test_unfitted_estimators_are_not_saved(tmp_path):
    for model in (GMMGAN(), make_pipeline(StandardScaler(), GMMGAN())):
        with pytest.raises(NotFittedError):
            skgmmgan.save(model, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_every_dtype_comes_back(every_dtype, tmp_path):
    import pandas as pd

    model = GMMGAN(2, **SHORT).fit(every_dtype)
    for loaded in (saved_and_loaded(model, tmp_path / "model"), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(loaded.score_samples(every_dtype), model.score_samples(every_dtype))
        pd.testing.assert_frame_equal(loaded.sample(50)[0], pickle.loads(pickle.dumps(model)).sample(50)[0])
        assert (loaded.sample(5)[0].dtypes == every_dtype.dtypes).all()
        assert loaded.history_ == model.history_


@pytest.mark.parametrize(
    "dtype", ["int32[pyarrow]", "string[pyarrow]", "timestamp[ms, tz=Europe/Paris][pyarrow]", "double[pyarrow]"]
)
def test_arrow_dtypes_come_back(dtype, tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    X = pd.DataFrame({"x": pd.Series(np.arange(40) % 5, dtype="int64[pyarrow]").astype(dtype), "y": np.arange(40.0)})
    rows, _ = saved_and_loaded(GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(X), tmp_path / "model").sample(3)
    assert (rows.dtypes == X.dtypes).all()


HEADERS = {
    "text": lambda pd: pd.Index(["a", "b"], name="columns"),
    "range": lambda pd: pd.RangeIndex(2, name="n"),
    "integers": lambda pd: pd.Index([0, 7]),
    "levels": lambda pd: pd.MultiIndex.from_arrays([["a", "b"], np.array([1, 2], dtype="int8")], names=["x", "y"]),
    "days": lambda pd: pd.DatetimeIndex(["2020-01-01", "2020-01-05"]),
    "zoned": lambda pd: pd.DatetimeIndex(["2020-01-01", "2020-01-05"], tz="Europe/Paris"),
    "lengths": lambda pd: pd.to_timedelta([1, 5], unit="h"),
    "categories": lambda pd: pd.CategoricalIndex(["p", "q"], categories=["q", "p"]),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_names_come_back(header, tmp_path):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)))
    X.columns = header(pd)
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(X)
    rows, _ = saved_and_loaded(model, tmp_path / "model").sample(3)
    pd.testing.assert_index_equal(rows.columns, X.columns)
    assert type(rows.columns) is type(X.columns)


def test_polars_comes_back(tmp_path):
    pl = pytest.importorskip("polars")
    X = pl.DataFrame(
        {
            "n": np.arange(60.0),
            "d": [date(2020, 1, 1 + i % 28) for i in range(60)],
            "e": pl.Series(["a", "b"] * 30, dtype=pl.Enum(["a", "b", "c"])),
        }
    ).with_columns(t=pl.col("d").cast(pl.Datetime("ms", "UTC")), i=pl.col("n").cast(pl.UInt8))
    loaded = saved_and_loaded(GMMGAN(1, **SHORT).fit(X), tmp_path / "model")
    assert loaded.sample(4)[0].schema == X.schema


def test_sums_come_back(tmp_path):
    a, b = np.random.RandomState(0).gamma(2, 50, (2, 300)).round(2)
    X = np.column_stack([a, b, (a + b).round(2)])
    model = GMMGAN(2, **SHORT).fit(X)
    loaded = saved_and_loaded(model, tmp_path / "model")
    for conditions in (None, {2: 100.0}):
        rows, again = (m.sample(20, conditions=conditions, random_state=0)[0] for m in (model, loaded))
        assert np.allclose(rows[:, 0] + rows[:, 1], rows[:, 2])
        assert np.array_equal(rows, again)
    assert loaded.score(X) == model.score(X)


def test_a_classifier_and_a_pipeline_come_back(tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, 2)), np.array(["no", "yes"])[rng.integers(2, size=N)]
    classifier = GMMGANClassifier(1, **SHORT).fit(X, y)
    loaded = saved_and_loaded(classifier, tmp_path / "model")
    assert np.array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert loaded.sample(y={"yes": 3})[1].tolist() == ["yes"] * 3
    dates = np.array([date(2020, 1, 1), date(2021, 1, 1)])[(y == "yes").astype(int)]
    classifier = GMMGANClassifier(1, **SHORT).fit(X, dates)
    assert saved_and_loaded(classifier, tmp_path / "dates").score(X, dates) == classifier.score(X, dates)
    pipeline = make_pipeline(StandardScaler(), GMMGAN(1, discriminator=LogisticRegression(), **SHORT)).fit(X)
    assert saved_and_loaded(pipeline, str(tmp_path / "pipeline")).score(X) == pipeline.score(X)


def test_mlp_discriminators_come_back(tmp_path):
    X = np.random.default_rng(0).normal(size=(400, 2))
    X[:, 1] += 3 * np.abs(X[:, 0])
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=2, discriminator="mlp", random_state=0).fit(X)
    assert model._model.kept
    assert saved_and_loaded(model, tmp_path / "model").score(X) == pytest.approx(model.score(X), abs=1e-9)


class Own(ClassifierMixin, BaseEstimator):
    """A discriminator of the user."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.predict_proba(X)[:, 1] > 0.5

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-np.nan_to_num(np.asarray(X, dtype=float))[:, 0]))
        return np.column_stack([1 - p, p])


def test_what_cannot_be_read_without_code_is_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=0, discriminator=Own()).fit(X)
    with pytest.raises(TypeError, match=r"Own.*joblib"):
        skgmmgan.save(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.fixture
def saved(tmp_path):
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(np.random.default_rng(0).normal(size=(60, 2)))
    skgmmgan.save(model, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_damaged_file_is_refused(saved, share):
    data = bytearray(saved.read_bytes())
    position = int(share * len(data))
    data[position] ^= 0xFF
    saved.write_bytes(data)
    with pytest.raises(ValueError, match=r"damaged|changed"):
        skgmmgan.load(saved)
    saved.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="damaged"):
        skgmmgan.load(saved)


def test_other_files_are_refused(tmp_path):
    for content in (b"", b"a,b\n1,2\n", pickle.dumps(1)):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ValueError, match=r"skgmmgan\.save"):
            skgmmgan.load(tmp_path / "other")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("schema.json", "{}")
    with pytest.raises(ValueError, match=r"skgmmgan\.save"):
        skgmmgan.load(tmp_path / "other.zip")
    with pytest.raises(FileNotFoundError):
        skgmmgan.load(tmp_path / "none")


def rewrite(path, change, digest=True):
    """Write a saved file again with a changed schema, as a forger would."""
    with zipfile.ZipFile(path) as archive:
        members, comment = {name: archive.read(name) for name in archive.namelist()}, json.loads(archive.comment)
    members["schema.json"] = change(members["schema.json"].decode()).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with zipfile.ZipFile(path, "a") as archive:
        comment["sha256"] = _saving._digest(archive) if digest else comment["sha256"]
        archive.comment = json.dumps(comment).encode()


def test_a_changed_file_is_refused(saved):
    rewrite(saved, lambda text: text.replace('"n_init"', '"m_init"'), digest=False)
    with pytest.raises(ValueError, match="was changed"):
        skgmmgan.load(saved)


def test_a_forged_type_is_not_constructed(saved):
    rewrite(saved, lambda text: text.replace('"__class__": "Spline"', '"__class__": "OSError"'))
    with pytest.raises(ValueError, match=r"OSError.*not read"):
        skgmmgan.load(saved)


def test_a_forged_dtype_is_no_function(tmp_path):
    pl = pytest.importorskip("polars")
    model = GMMGAN(1, max_epochs=0, adversarial_rounds=0).fit(pl.DataFrame({"n": np.arange(60.0)}))
    skgmmgan.save(model, tmp_path / "model")
    rewrite(tmp_path / "model", lambda text: text.replace('"Float64"', '"from_native"').replace("Float64", "starmap"))
    with pytest.raises(ValueError, match=r"skgmmgan\.save"):
        skgmmgan.load(tmp_path / "model")


@pytest.mark.parametrize("name", ["skgmmgan", "scikit-learn"])
def test_another_version_is_refused(saved, name):
    with zipfile.ZipFile(saved, "a") as archive:
        comment = json.loads(archive.comment)
        comment["versions"][name] = "0.0.7"
        archive.comment = json.dumps(comment).encode()
    with pytest.raises(ValueError, match=rf"{name} 0\.0\.7"):
        skgmmgan.load(saved)
