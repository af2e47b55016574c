"""The command line on files."""

import io
import subprocess
import sys

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
testing = pytest.importorskip("click.testing")
pytest.importorskip("skops.io")
pytest.importorskip("pyarrow")

from skgmmgan.__main__ import main  # noqa: E402
from skgmmgan._files import read_table, write_table  # noqa: E402

N = 150


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    age = rng.integers(17, 90, N)
    return pd.DataFrame(
        {
            "age": age,
            "income": np.round(rng.gamma(2, 1000, N) + 50 * age, 2),
            "children": pd.array(np.where(rng.random(N) < 0.2, None, rng.integers(0, 4, N)), dtype="Int64"),
            "sex": np.where(rng.random(N) < 0.6, "F", "M"),
            "since": pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"),
            "zip": rng.choice(["01067", "10115", "80331"], N),
            "active": rng.random(N) < 0.5,
        }
    )


@pytest.fixture
def folder(table, tmp_path, monkeypatch):
    """The working directory, with the table in it."""
    table.to_csv(tmp_path / "data.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, status=0, stdin=None):
    result = testing.CliRunner().invoke(main, list(map(str, arguments)), input=stdin)
    assert result.exit_code == status, result.output
    return result


def test_fit_sample_and_score(folder, table):
    result = run("fit", "data.csv", "-o", "model", "--type", "zip=category", "--quick", "--seed", 0)
    assert "income    number" in result.stderr
    assert "children  integer, 0 to 3" in result.stderr
    assert result.stdout == ""
    run("sample", "model", "-n", 40, "-o", "rows.csv", "--condition", "sex=F", "--condition", "children=")
    rows = read_table("rows.csv", {"zip": "category"})
    assert (rows["sex"] == "F").all()
    assert rows["children"].isna().all()
    assert set(rows["zip"]) <= set(table["zip"])
    assert len(rows) == 40
    run("sample", "model", "-n", 40, "-o", "rows.parquet")
    assert (pd.read_parquet("rows.parquet").dtypes == read_table("data.csv", {"zip": "category"}).dtypes).all()
    (folder / "new.csv").write_text((folder / "data.csv").read_text().replace("01067", "99999"))
    assert np.isfinite(float(run("score", "model", "new.csv").stdout))
    (folder / "short.csv").write_text("age\n1\n")
    assert "no column" in run("score", "model", "short.csv", status=1).stderr
    scores = [float(run("score", "model", file).stdout) for file in ("data.csv", "rows.parquet")]
    assert abs(scores[0] - scores[1]) < 3


def test_report(folder, table):
    pytest.importorskip("matplotlib")
    run("synth", "data.csv", "-n", N, "-o", "rows.csv", "--quick", "--quiet", "--seed", 0)
    options = ["--holdout", "data.csv", "--target", "sex", "-o", "report.html", "--seed", 0]
    result = run("report", "data.csv", "rows.csv", *options)
    assert "detector AUC" in result.stdout
    assert "train on synthetic" in result.stdout
    assert "<h1>" in (folder / "report.html").read_text()


def test_seeds_and_fresh_rows(folder):
    run("fit", "data.csv", "-o", "model", "--quick", "--quiet", "--seed", 0)
    same, again, fresh, other = (
        run("sample", "model", "-n", 5, *seed).stdout for seed in (["--seed", 1], ["--seed", 1], [], [])
    )
    assert same == again
    assert len({same, fresh, other}) == 3


def test_data_on_standard_streams(folder, table):
    result = run(
        "synth", "-", "-n", 30, "--quick", "--drop", "zip", "--condition", "active=true", "--seed", 0,
        stdin=table.to_csv(index=False),
    )  # fmt: skip
    rows = pd.read_csv(io.StringIO(result.stdout))
    assert list(rows) == [name for name in table if name != "zip"]
    assert rows["active"].all()
    assert pd.to_datetime(rows["since"]).max() <= table["since"].max()
    assert "age" in result.stderr


def test_quiet_says_nothing(folder):
    assert run("synth", "data.csv", "-n", 3, "-o", "rows.tsv", "--quick", "--quiet").output == ""
    assert len(pd.read_csv("rows.tsv", sep="\t")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "none.csv", "-o", "model"], "none.csv"),
        (["fit", "data.xlsx", "-o", "model"], r".xlsx: the name must end in .csv"),
        (["fit", "data.csv", "-o", "model", "--type", "sex=number"], "Column 'sex' cannot be read as number"),
        (["fit", "data.csv", "-o", "model", "--drop", "Sex"], "no column 'Sex'"),
        (["fit", "data.csv", "-o", "model", "--n-components", "1000"], "n_components"),
        (["sample", "data.csv", "-n", "3"], "no file of skgmmgan.save"),
        (["synth", "data.csv", "-n", "3", "--quick", "--condition", "sex=X"], "'X'"),
        (["synth", "data.csv", "-n", "3", "--quick", "--condition", "size=1"], "'size'"),
    ],
)
def test_errors_are_one_line(folder, arguments, message):
    result = run(*arguments, *(["--quiet"] if arguments[0] != "sample" else []), status=1)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["fit"], ["sample", "model"], ["sample", "m", "-n", "-1"], ["fit", "d.csv", "-o", "m", "--type", "sex=colour"],
     ["fit", "d.csv", "-o", "m", "--n-components", "many"], ["unknown"]],
)  # fmt: skip
def test_wrong_usage_has_status_two(arguments):
    assert "Usage:" in run(*arguments, status=2).stderr


def test_warnings_are_one_line(folder):
    pd.DataFrame({"id": [f"id{i}" for i in range(N)], "x": np.arange(N) * 1.0}).to_csv("ids.csv", index=False)
    result = run("synth", "ids.csv", "-n", 3, "--quick", "--quiet", "-o", "rows.csv")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: ")
    assert "'id'" in line


def test_python_m():
    command = [sys.executable, "-m", "skgmmgan", "--version"]
    assert "version" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet"])
def test_files_keep_types(table, tmp_path, name):
    write_table(table, str(tmp_path / name))
    again = read_table(str(tmp_path / name), None if "parquet" in name else {"zip": "category"})
    for column in table.columns.drop("zip"):
        assert (again[column].isna() == table[column].isna()).all()
        assert (again[column].dropna() == table[column].dropna()).all()
        assert pd.api.types.is_integer_dtype(again[column]) == pd.api.types.is_integer_dtype(table[column])


def test_times_with_offsets_are_read_in_utc(tmp_path):
    (tmp_path / "t.csv").write_text(
        "t,u\n2024-03-31T01:30:00+01:00,2024-03-31\n,2024-04-01\n2024-03-31T03:30:00+02:00,\n"
    )
    table = read_table(str(tmp_path / "t.csv"))
    assert str(table["t"].dt.tz) == "UTC"
    assert table["u"].dt.tz is None
    assert table["t"].isna().tolist() == [False, True, False]
