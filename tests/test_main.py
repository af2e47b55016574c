"""The command line on files."""

import contextlib
import io
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
testing = pytest.importorskip("click.testing")
pytest.importorskip("skops.io")
pytest.importorskip("pyarrow")

from skgmmgan.__main__ import main  # noqa: E402
from skgmmgan._files import parse_cell, read_like, read_table, write_table  # noqa: E402

N = 150
QUICK = ("--quick", "--n-components", 1)


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
    result = run("fit", "data.csv", "-o", "model", "--type", "zip=category", *QUICK, "--seed", 0)
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


def test_scores_of_rows_and_columns(folder, table):
    odd = table.assign(income=table["income"].where(table.index != 7, 1e6))
    odd.to_csv("odd.csv", index=False)
    run("fit", "data.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0)
    mean = float(run("score", "model", "odd.csv", "-o", "scores.csv").stdout)
    scores = pd.read_csv("scores.csv")
    assert scores["log_likelihood"].mean() == pytest.approx(mean)
    assert list(scores) == ["log_likelihood", *table, "refinement"]
    assert (scores["log_likelihood"].idxmin(), scores[list(table)].loc[7].idxmin()) == (7, "income")
    result = run("score", "model", "odd.csv", "-o", "-")
    assert pd.read_csv(io.StringIO(result.stdout)).equals(scores)
    assert float(result.stderr) == mean
    table[["age", "income"]].set_axis(["refinement", "log_likelihood"], axis=1).to_csv("names.csv", index=False)
    run("fit", "names.csv", "-o", "model", *QUICK, "--quiet")
    run("score", "model", "names.csv", "-o", "scores.parquet")
    names = ["log_likelihood_", "refinement", "log_likelihood", "refinement_"]
    assert list(pd.read_parquet("scores.parquet")) == names


def test_report(folder, table):
    pytest.importorskip("matplotlib")
    table = table.assign(old=table["age"] > 50)
    table[::2].to_csv("data.csv", index=False)
    table[1::2].to_csv("held.csv", index=False)
    run("synth", "data.csv", "-n", N // 2, "-o", "rows.csv", *QUICK, "--quiet", "--seed", 0)
    options = ["--target", "old", "-o", "report.html", "--seed", 0, "--quiet", "--holdout"]
    result = run("report", "data.csv", "rows.csv", *options, "held.csv")
    assert result.stderr == ""
    assert "detector AUC" in result.stdout
    assert "train on synthetic" in result.stdout
    assert "<h1>" in (folder / "report.html").read_text()
    assert "100% of the held-out rows are rows" in run("report", "data.csv", "rows.csv", *options, "data.csv").stderr
    refused = run("report", "data.csv", "rows.csv", "--target", "sex", status=2)
    assert "--target needs --holdout" in refused.stderr


def test_seeds_and_fresh_rows(folder):
    run("fit", "data.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0)
    same, again, fresh, other = (
        run("sample", "model", "-n", 5, *seed).stdout for seed in (["--seed", 1], ["--seed", 1], [], [])
    )
    assert same == again
    assert len({same, fresh, other}) == 3


def test_data_on_standard_streams(folder, table):
    result = run(
        "synth", "-", "-n", 30, *QUICK, "--drop", "zip", "--condition", "active=true", "--seed", 0,
        stdin=table.to_csv(index=False),
    )  # fmt: skip
    rows = pd.read_csv(io.StringIO(result.stdout))
    assert list(rows) == [name for name in table if name != "zip"]
    assert rows["active"].all()
    assert pd.to_datetime(rows["since"]).max() <= table["since"].max()
    assert "age" in result.stderr


def test_quiet_says_nothing(folder):
    assert run("synth", "data.csv", "-n", 3, "-o", "rows.tsv", *QUICK, "--quiet").output == ""
    assert len(pd.read_csv("rows.tsv", sep="\t")) == 3


def test_ranges(folder):
    drawing = ["-n", 40, *QUICK, "--quiet", "--seed", 0]
    kept = ["--where", "age >= 40 and since < '2021-06-01'", "--condition", "sex=F"]
    rows = pd.read_csv(io.StringIO(run("synth", "data.csv", *drawing, *kept).stdout), parse_dates=["since"])
    assert len(rows) == 40
    assert (rows["age"] >= 40).all()
    assert (rows["since"] < "2021-06-01").all()
    assert (rows["sex"] == "F").all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "none.csv", "-o", "model"], "there is no file none.csv"),
        (["fit", "bytes.csv", "-o", "model"], "bytes.csv is no text of a known encoding"),
        (["fit", "data.xlsx", "-o", "model"], r".xlsx: the name must end in .csv"),
        (["fit", "data.csv", "-o", "model", "--type", "sex=number"], "Column 'sex' cannot be read as number"),
        (["fit", "data.csv", "-o", "model", "--drop", "Sex"], "no column 'Sex' (did you mean 'sex'?)"),
        (["fit", "data.csv", "-o", "model", "--n-components", "1000"], "n_components"),
        (["sample", "data.csv", "-n", "3"], "data.csv is no saved model"),
        (["synth", "data.csv", "-n", "3", *QUICK, "--condition", "sex=X"], "'X'"),
    ],
)
def test_errors_are_one_line(folder, arguments, message):
    Path("bytes.csv").write_bytes(b"city\n\x81\x8d\n")
    result = run(*arguments, *(["--quiet"] if arguments[0] != "sample" else []), status=1)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert result.stdout == ""


@pytest.mark.parametrize("condition", ["size=1", "age>=30", "size"])
def test_conditions_without_a_column_are_wrong_usage(folder, monkeypatch, condition):
    monkeypatch.setattr("skgmmgan.__main__.learn", None)
    assert condition in run("synth", "data.csv", "-n", 3, "--condition", condition, status=2).stderr


def test_messages_tell_options(folder, monkeypatch):
    monkeypatch.setattr("skgmmgan.__main__.learn", None)
    synth = ("synth", "data.csv", "-n", 3, "--quiet", "--condition")
    assert "; write sex=F" in run(*synth, "sex==F", status=2).stderr
    assert "or, by --where, for a range" in run(*synth, "since=2021-02-01 00:30", status=1).stderr
    pd.DataFrame({"a": [1.0]}).to_csv("few.csv")
    assert "or --drop columns that only" in run("report", "data.csv", "few.csv", "--quiet", status=1).stderr


def test_a_column_with_a_like_name_is_told(folder):
    assert "did you mean 'since'?" in run("synth", "data.csv", "-n", 3, "--condition", "sincce=1", status=2).stderr


def test_a_report_is_a_page_and_tells_the_same_again(folder, monkeypatch):
    assert "must end in .html" in run("report", "data.csv", "data.csv", "-o", "report.csv", status=2).stderr
    monkeypatch.setattr("skgmmgan.__main__.QualityReport.to_html", lambda *_: None)
    once, again = (run("report", "data.csv", "data.csv", "--quiet") for _ in range(2))
    assert once.stdout == again.stdout
    assert once.stderr == ""


@pytest.mark.parametrize("condition", ["sex=X", "age=500"])
def test_conditions_that_cannot_be_fail_before_training(folder, monkeypatch, condition):
    monkeypatch.setattr("skgmmgan.__main__.learn", None)
    assert condition.split("=")[1] in run("synth", "data.csv", "-n", 3, "--condition", condition, status=1).stderr


WRONG = ["age >=", "size > 3", "sex > 3", "age = 40", "age + 1", "sex", "@sys.exit(0)", "__import__('os')"]


@pytest.mark.parametrize("where", WRONG)
def test_what_is_no_condition_fails_before_training(folder, monkeypatch, where):
    monkeypatch.setattr("skgmmgan.__main__.learn", None)
    assert "is no condition" in run("synth", "data.csv", "-n", 3, "--where", where, status=2).stderr


def test_what_is_no_condition_on_a_model(folder):
    run("fit", "data.csv", "-o", "model", *QUICK, "--quiet")
    for where in WRONG:
        assert "is no condition" in run("sample", "model", "-n", 3, "--where", where, status=2).stderr


@pytest.mark.parametrize(
    "arguments",
    [["fit"], ["sample", "model"], ["sample", "m", "-n", "-1"], ["fit", "d.csv", "-o", "m", "--type", "sex=colour"],
     ["fit", "d.csv", "-o", "m", "--n-components", "many"], ["unknown"]],
)  # fmt: skip
def test_wrong_usage_has_status_two(arguments):
    assert "Usage:" in run(*arguments, status=2).stderr


def test_warnings_are_one_line(folder):
    pd.DataFrame({"id": [f"id{i}" for i in range(N)], "x": np.arange(N) * 1.0}).to_csv("ids.csv", index=False)
    result = run("synth", "ids.csv", "-n", 3, *QUICK, "--quiet", "-o", "rows.csv")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: ")
    assert "'id'" in line


@pytest.mark.parametrize("odd", ["1,00.50", "(900.50]"])
def test_numbers_that_are_text_are_told(folder, odd):
    prices = pd.DataFrame({"price": [odd] + [f"{900 + i}.50" for i in range(N)]})
    prices.to_csv("prices.csv", index=False)
    with pytest.warns(
        UserWarning, match=f"'price' is taken for categories, for 1 of {N + 1} cells like '{re.escape(odd)}'"
    ):
        read_table("prices.csv")


@pytest.mark.parametrize("word", ["unknown", "-", "k.A.", "n/a"])
@pytest.mark.parametrize(
    "cells",
    [
        [f"{900 + i}.5" for i in range(90)],
        [f"{i % 28 + 1:02d}.05.2024" for i in range(90)],
        [f"{i // 60}:{i % 60:02d}" for i in range(90)],
    ],
)
def test_the_only_word_is_a_gap(folder, word, cells):
    cells = [word if i % 4 == 0 else cell for i, cell in enumerate(cells)]
    pd.DataFrame({"x": cells, "y": np.arange(90) % 7}).to_csv("words.csv", index=False)
    table = read_table("words.csv")
    assert table["x"].isna().tolist() == [i % 4 == 0 for i in range(90)]
    rows = run("synth", "words.csv", "-n", 60, *QUICK, "--quiet").stdout
    drawn = pd.read_csv(io.StringIO(rows), dtype=str, keep_default_na=False)["x"]
    assert 0 < (drawn == word).sum() < 40
    assert drawn[drawn != word].str.fullmatch(r"\d+\.[05]|\d\d\.05\.2024|[01]:\d\d").all()


def test_numbers_with_several_units_are_told(folder):
    pd.DataFrame({"area": [f"{20 + i}.5 {'m2' if i % 3 else 'ft2'}" for i in range(N)]}).to_csv(
        "areas.csv", index=False
    )
    with pytest.warns(UserWarning, match=f"'area' is taken for categories, for {N} of {N} cells like '20.5 ft2'"):
        read_table("areas.csv")


@pytest.mark.parametrize(
    ("cell", "kind", "condition"),
    [
        ("{:.0f}%", "int64", "12%"),
        ("{:.1f} %", "float64", "12.5%"),
        ("{:.1f}%", "float64", "12.5 %"),
        ("${:.2f}", "float64", "$12.50"),
        ("{:.1f} m2", "float64", "12.5 m2"),
        ("{:.1f}mm", "float64", "12.5mm"),
        ("-${:.2f}", "float64", "-$12.50"),
        ("USD {:.2f}", "float64", "12.5"),
        ("{:.1f} °C", "float64", "12.5 °C"),
        ("€ -{:.2f}", "float64", "-12.5"),
    ],
)
def test_units_are_kept(folder, cell, kind, condition):
    cells = [cell.format(i / 2) for i in range(1, N + 1)]
    pd.DataFrame({"x": cells, "y": np.arange(N) % 7}).to_csv("units.csv", index=False)
    assert read_table("units.csv")["x"].dtype == kind
    assert read_table("units.csv", {"x": "category"})["x"].tolist() == cells
    run("fit", "units.csv", "-o", "units.model", *QUICK, "--quiet")
    run("sample", "units.model", "-n", 60, "-o", "drawn.csv", "--seed", 0)
    drawn = pd.read_csv("drawn.csv", dtype=str)["x"]
    before, after = re.split(r"{.*}", cell)
    pattern = re.escape(before) + r"\d+(\.\d+)?" + re.escape(after)
    assert drawn.str.fullmatch(pattern).all()
    assert np.isfinite(float(run("score", "units.model", "drawn.csv").stdout))
    rows = run("sample", "units.model", "-n", 3, "--condition", f"x={condition}").stdout
    assert rows.count("12") >= 3


def test_marks_between_thousands(folder):
    cells = ["1,200.50", "900.25", "12,000.75", "3,100,000.50"]
    pd.DataFrame({"x": cells * 20, "y": range(80)}).to_csv("us.csv", index=False)
    assert read_table("us.csv")["x"].tolist()[:4] == [1200.5, 900.25, 12000.75, 3100000.5]
    rows = pd.read_csv(io.StringIO(run("synth", "us.csv", "-n", 50, *QUICK, "--quiet").stdout), dtype=str)
    assert rows["x"].str.fullmatch(r"\d{1,3}(,\d{3})*\.\d\d").all()
    (folder / "de.csv").write_text("n;x\n" + "1.540;2,5\n303;1,25\n2.061.393;4\n" * 9)
    assert read_table("de.csv")["n"].tolist()[:3] == [1540, 303, 2061393]
    (folder / "de.csv").write_text("n;x\n" + "1.540;a\n303;b\n" * 9)  # nothing tells, but three digits throughout
    assert read_table("de.csv")["n"].tolist()[:2] == [1540, 303]
    (folder / "de.csv").write_text("n;x\n" + "1.540;2.5\n303;1.25\n" * 9)
    assert read_table("de.csv")["n"].tolist()[:2] == [1.54, 303]
    (folder / "de.csv").write_text("n;x\n" + "01,5;2\n60,25;1\n" * 9)
    assert read_table("de.csv", {"n": "number"})["n"].tolist()[:2] == [1.5, 60.25]
    assert read_table("de.csv")["n"].tolist()[:2] == ["01,5", "60,25"]


def test_units_must_be_those_of_the_fit(folder):
    weights = [f"{i}.5" for i in range(N)]
    for name, unit in (("kg", " kg"), ("g", " g"), ("bare", ""), ("some", None)):
        cells = [f"{x}{' kg' * (i % 2) if unit is None else unit}" for i, x in enumerate(weights)]
        pd.DataFrame({"x": cells, "y": np.arange(N) % 7}).to_csv(f"{name}.csv", index=False)
    run("fit", "kg.csv", "-o", "kg.model", *QUICK, "--quiet")
    run("fit", "bare.csv", "-o", "bare.model", *QUICK, "--quiet")
    scores = [float(run("score", "kg.model", f"{name}.csv").stdout) for name in ("kg", "bare", "some")]
    assert np.ptp(scores) < 1e-9
    assert "'x' have the unit 'g'; at fit they had 'kg'" in run("score", "kg.model", "g.csv", status=1).stderr
    assert "have the unit 'g'; at fit they had None" in run("score", "bare.model", "g.csv", status=1).stderr
    assert "have the unit 'g'" in run("report", "kg.csv", "g.csv", "--quiet", status=1).stderr


def test_blanks_in_numbers_of_the_same_length_are_those_of_codes(folder):
    cells = [f"555 {i:03d}" for i in range(N)]
    pd.DataFrame({"phone": cells, "sum": [f"{i + 1} 000" for i in range(N)]}).to_csv("blanks.csv", index=False)
    with pytest.warns(UserWarning, match="'phone' is taken for categories"):
        table = read_table("blanks.csv")
    assert table["phone"].tolist() == cells
    assert table["sum"].tolist() == [1000 * (i + 1) for i in range(N)]
    assert read_table("blanks.csv", {"phone": "integer"})["phone"].tolist() == [555000 + i for i in range(N)]


def test_durations_and_factors_of_thousand_are_told(folder):
    for duration in ("{}h {}m", "PT{}H{}M", "P{}DT{}S"):
        pd.DataFrame({"x": [duration.format(i // 60, i % 60) for i in range(N)]}).to_csv("x.csv", index=False)
        with pytest.warns(UserWarning, match="'x' is taken for categories"):
            read_table("x.csv")
    pd.DataFrame({"x": [f"P{i}" for i in range(N)], "y": [f"PT-{i}" for i in range(N)]}).to_csv("x.csv", index=False)
    assert read_table("x.csv")["x"].tolist() == [f"P{i}" for i in range(N)]
    pd.DataFrame({"x": [f"{i}.4k" if i % 9 else "1.2M" for i in range(N)]}).to_csv("x.csv", index=False)
    with pytest.warns(UserWarning, match="'x' is taken for categories, for .* like '1.2M'"):
        read_table("x.csv")


def test_a_column_without_a_name_stays_so(folder):
    Path("index.csv").write_text(",x\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(60)))
    run("fit", "index.csv", "-o", "index.model", *QUICK, "--quiet")
    assert run("sample", "index.model", "-n", 3, "--condition", "Unnamed: 0=4").stdout.startswith(",x\n4,")
    Path("last.csv").write_text("id,x,\n" + "".join(f"{i % 9},{i % 7},{i % 5}\n" for i in range(60)))
    run("fit", "last.csv", "-o", "last.model", *QUICK, "--quiet", "--drop", "id")
    run("sample", "last.model", "-n", 3, "-o", "drawn.csv")
    assert np.isfinite(float(run("score", "last.model", "drawn.csv").stdout))


def test_a_line_of_excel_tells_the_separator(folder):
    Path("t.csv").write_text("sep=|\na;b|c\n" + "1;2|x\n3;4|y\n" * 9)
    assert read_table("t.csv").columns.tolist() == ["a;b", "c"]
    assert run("synth", "t.csv", "-n", 3, *QUICK, "--quiet").stdout.startswith("a;b|c\n")


@pytest.mark.parametrize(
    ("header", "row", "odd"),
    [
        ("5.1,setosa", "1.5,a", "5.1"),
        ("39,State-gov,77516", "40,State-gov,5", "39"),
        ("Bonn,2020,F", "Bonn,2021,F", "Bonn"),
        ("2019,2020", "1,2", None),
        ("0,1", "0,1", None),
        ("400,410,420", "1.5,2.5,3.5", None),
        ("12,11,10", "1,2,3", None),
        ("size,yes,id", "1,yes,7", None),
    ],
)
def test_cells_in_place_of_names_are_told(tmp_path, header, row, odd):
    path = tmp_path / "t.csv"
    path.write_text(f"{header}\n" + f"{row}\n" * 9)
    told = pytest.warns(UserWarning, match=f"of which {odd!r} looks like a cell") if odd else contextlib.nullcontext()
    with told:
        read_table(str(path))


@pytest.mark.parametrize(
    ("cells", "dtype", "types"),
    [
        ([2**63 + 7919 * i for i in range(60)], "uint64", {}),
        ([10**18 + 7919 * i if i % 9 else "" for i in range(60)], "Int64", {}),
        ([10**21 + 7919 * i for i in range(60)], "str", {}),
        (["1/5/09", "12/25/10", "10/1/99"] * 20, "datetime64[us]", {"x": "time"}),
        (["1.5.09", "31.12.10", "1.10.99"] * 20, "datetime64[us]", {"x": "time"}),
        (["20240131", "99991231"] * 20 + [f"202402{i:02d}" for i in range(1, 29)], "datetime64[us]", {}),
        (["1,91E+04", "2,00E-05", "-3,25E+00"] * 20, "float64", {}),
        (["+5.0 %", "-3.1 %", "+0.0 %"] * 20, "float64", {}),
        (["+$5.00", "-$3.10"] * 20, "float64", {}),
        (["21.5°", "22.0°"] * 20, "float64", {}),
        (["38-", "40", "42-"] * 20, "str", {}),
        ([f"name {i}" if i % 3 else "NA" for i in range(60)], "str", {}),
    ],
)
def test_a_file_comes_back_byte_by_byte(tmp_path, cells, dtype, types):
    path, copy = (str(tmp_path / name) for name in ("t.csv", "copy.csv"))
    Path(path).write_text("x;y\n" + "".join(f"{cell};{i}\n" for i, cell in enumerate(cells)))
    with warnings.catch_warnings(action="ignore"):
        table = read_table(path, types)
    if dtype != "datetime64[us]":
        assert table["x"].dtype == (dtype if dtype != "str" else pd.Series(["a"]).dtype)
    assert pd.api.types.is_datetime64_any_dtype(table["x"]) == (dtype == "datetime64[us]")
    write_table(table, copy, table.attrs["spelling"])
    assert Path(copy).read_bytes() == Path(path).read_bytes()
    pd.testing.assert_frame_equal(read_like(copy, table, table.attrs["spelling"]), table)


def test_one_power_of_ten_among_decimals_is_a_number(tmp_path):
    path = str(tmp_path / "t.csv")
    Path(path).write_text("x;y\n" + "0,25;1\n9E-05;2\n" * 9)
    assert read_table(path)["x"].tolist() == [0.25, 9e-5] * 9


def test_years_of_two_digits_that_come_are_told(tmp_path):
    path = str(tmp_path / "t.csv")
    Path(path).write_text("x\n" + "23.12.66\n24.01.71\n" * 9)
    with pytest.warns(UserWarning, match=r"'23.12.66' is taken for 2066, and '24.01.71' for 1971"):
        read_table(path, {"x": "time"})
    Path(path).write_text("x\n" + "Dec-06\nJan-07\n" * 9)
    with pytest.raises(ValueError, match="'Dec-06' has no year"):
        read_table(path, {"x": "time"})
    Path(path).write_text("x\n" + "23.12.1650\n" * 9)
    assert (read_table(path, {"x": "time"})["x"].dt.year == 1650).all()


def test_separators_with_commas_in_the_header_and_blanks(tmp_path):
    path = str(tmp_path / "t.csv")
    Path(path).write_text("sales (net, EUR);day\n" + "10,56;2024-01-09\n7,25;2024-01-11\n" * 9)
    assert read_table(path)["sales (net, EUR)"].tolist() == [10.56, 7.25] * 9
    Path(path).write_text("a;b,c\n" + "x,1\ny; z,2\n" * 9)  # not in each row
    assert read_table(path)["c"].tolist() == [1, 2] * 9
    Path(path).write_text("age, weight, class\n" + "39, 77516, a b\n40, ?, c\n" * 9)
    table = read_table(path)
    assert table["weight"].dtype == "Int64"
    assert table["class"].tolist() == ["a b", "c"] * 9


def test_gaps_in_a_single_column(tmp_path):
    path = str(tmp_path / "t.csv")
    Path(path).write_text("a\n" + "1\n\n2\n" * 9)
    assert read_table(path)["a"].isna().sum() == 9


@pytest.mark.parametrize("mark", ["\t", "|", ";"])
def test_separators_are_found(folder, mark):
    pd.DataFrame({"a": ["x, y", "z"] * 20, "b": np.arange(40) / 4}).to_csv("t.csv", sep=mark, index=False)
    assert read_table("t.csv").shape == (40, 2)
    rows = run("synth", "t.csv", "-n", 9, *QUICK, "--quiet").stdout
    assert all(mark in row for row in rows.splitlines())


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_encodings(folder, encoding):
    Path("t.csv").write_bytes(("city;x\n" + "Köln;1,5 €\nGraz;2,5 €\n" * 20).encode(encoding))
    result = run("synth", "t.csv", "-n", 9, *QUICK, "--quiet")
    assert ("cp1252" in result.stderr) == (encoding == "cp1252")
    assert set(row.split(";")[0] for row in result.stdout.splitlines()) == {"city", "Köln", "Graz"}


def test_gaps_in_a_column_that_had_none(folder):
    (folder / "whole.csv").write_text("n,k\n" + "".join(f"{i * 7 % 90},{i % 5}\n" for i in range(90)))
    (folder / "gap.csv").write_text("n,k\n,1\n4,2\n")
    run("fit", "whole.csv", "-o", "whole.model", *QUICK, "--quiet")
    run("score", "whole.model", "gap.csv", "-o", "scores.csv")
    scores = pd.read_csv("scores.csv")["log_likelihood"]
    assert scores[0] < scores[1]


def test_dates_and_zones_in_where(folder):
    days = pd.Series(pd.date_range("2024-01-01", periods=N))
    zoned = days.dt.tz_localize("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    for format_, text, first in (("%d.%m.%Y", "01.02.2024", "2024-02-01"), ("%m/%d/%Y", "2/1/2024", "2024-02-01")):
        written = days.dt.strftime(format_)
        written = written if "." in format_ else written.str.replace(r"(^|/)0", r"\1", regex=True)
        pd.DataFrame({"day": written, "z": zoned}).to_csv("d.csv", index=False)
        run("fit", "d.csv", "-o", "d.model", *QUICK, "--quiet")
        rows = run("sample", "d.model", "-n", 9, "--where", f"day >= '{text}' and z > '2024-01-05'").stdout
        drawn = pd.read_csv(io.StringIO(rows), dtype=str)["day"]
        assert (pd.to_datetime(drawn, format=format_) >= first).all()
        assert drawn.isin(written).all()
        assert run("sample", "d.model", "-n", 2, "--condition", f"day={text}").stdout.count(text) == 2
    assert "no date of ISO 8601" in run("sample", "d.model", "-n", 2, "--where", "day > '31.12.2024'", status=2).stderr
    assert "did you mean 'day'?" in run("sample", "d.model", "-n", 2, "--where", "Day > '2024-01-02'", status=2).stderr


def test_german_files(folder):
    rng = np.random.RandomState(0)
    cells = [f"{x:_.2f} €".replace(".", ",").replace("_", ".") for x in rng.gamma(2, 900, N)]
    days = pd.Series(pd.date_range("2024-01-01", periods=N)).dt.strftime("%d.%m.%Y")
    pd.DataFrame({"sum": cells, "day": days, "y": np.arange(N) % 7}).to_csv("german.csv", index=False, sep=";")
    run("fit", "german.csv", "-o", "german.model", *QUICK, "--quiet")
    asked = ["--condition", f"sum={cells[3]}", "--condition", f"day={days[3]}"]
    rows = run("sample", "german.model", "-n", 2, *asked).stdout.splitlines()[1:]
    assert all(row.startswith(f"{cells[3]};{days[3]};") for row in rows)
    run("sample", "german.model", "-n", 90, "-o", "drawn.csv", "--seed", 0)
    drawn = pd.read_csv("drawn.csv", dtype=str, sep=";")["sum"]
    assert drawn.str.fullmatch(r"\d{1,3}(\.\d{3})*,\d\d €").all()
    assert drawn.str.contains(".", regex=False).any()


def test_codes_and_words_are_no_units(folder):
    for cells in (
        ["c1", "c2", "c30"],
        ["ISO 9001", "ISO 14001"],
        ["007 kg", "012 kg", "013 kg"],
        ["1 kg", "2 g", "3 kg"],
        ["0,200 $", "900 $"],
    ):
        pd.DataFrame({"x": cells * 10}).to_csv("codes.csv", index=False)
        assert read_table("codes.csv")["x"].tolist() == cells * 10
    pd.DataFrame({"x": ["1e2", "5e2"] * 10}).to_csv("codes.csv", index=False)
    assert read_table("codes.csv")["x"].tolist() == [100, 500] * 10


def test_dates_that_are_text_are_told(folder):
    days = pd.Series(pd.date_range("2020-01-01", periods=N).astype(str))
    odd_day = days.replace("2020-01-07", "07. Jan 2020")
    for cells, odd in ((odd_day, "07. Jan 2020"), (days.str.replace("-", ","), "2020,01,01")):
        cells.to_frame("day").to_csv("days.csv", index=False)
        with pytest.warns(UserWarning, match=rf"'day' is taken for categories, for \d+ of {N} cells like '{odd}'"):
            read_table("days.csv")


def test_names_that_come_twice_are_refused(folder):
    (folder / "twice.csv").write_text("a,a,b\n1,2,3\n2,3,4\n")
    assert "has the column 'a' twice" in run("synth", "twice.csv", "-n", 2, *QUICK, status=1).stderr


def test_a_column_that_is_all_missing(folder):
    (folder / "gap.csv").write_text("a,b\n" + "".join(f"{i % 50},\n" for i in range(90)))
    run("fit", "gap.csv", "-o", "gap.model", *QUICK, "--quiet")
    run("sample", "gap.model", "-n", 90, "-o", "drawn.csv")
    assert np.isfinite(float(run("score", "gap.model", "gap.csv").stdout))
    run("report", "gap.csv", "drawn.csv", "--quiet", "-o", "gap.html")


def test_semicolons_and_decimal_commas(folder):
    (folder / "t.csv").write_text("price;note;code\n1.012,50;a, b;1.5\n3,75;c;2.5\n;d;x\n")
    table = read_table("t.csv")
    assert table["price"].tolist()[:2] == [1012.5, 3.75]
    assert table["note"].tolist() == ["a, b", "c", "d"]
    assert table["code"].tolist() == ["1.5", "2.5", "x"]
    (folder / "t.csv").write_text("a,b\n1,2\n3,4,5\n")
    with pytest.raises(ValueError, match=r"t.csv cannot be read: .* quotes"):
        read_table("t.csv")


def test_python_m():
    command = [sys.executable, "-m", "skgmmgan", "--version"]
    assert "version" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.PARQUET"])
def test_files_keep_types(table, tmp_path, name):
    write_table(table, str(tmp_path / name))
    again = read_table(str(tmp_path / name), None if "parquet" in name.lower() else {"zip": "category"})
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


@pytest.mark.parametrize("years", [(2024, 2024), (2023, 2024)])
def test_a_year_is_no_offset(tmp_path, years):
    (tmp_path / "t.csv").write_text("t\n" + "".join(f"15-01-{year}\n" for year in years))
    assert read_table(str(tmp_path / "t.csv"), {"t": "time"})["t"].dt.tz is None


@pytest.mark.parametrize("types", [None, {"t": "time"}])
def test_times_with_one_offset_keep_it(tmp_path, types):
    path = str(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("t,u\n2024-03-31T01:30:00+02:00,1\n,2\n2024-04-30T03:30:00+02:00,3\n")
    table = read_table(path, types)
    assert table["t"].dt.hour.tolist()[::2] == [1, 3]
    write_table(table, path)
    assert "2024-03-31 01:30:00+02:00" in (tmp_path / "t.csv").read_text()
    assert read_like(path, table)["t"].equals(table["t"])


def test_times_in_the_zone_of_a_column(tmp_path):
    """Naive times are those of the zone, around changes of the clock too; what the tool wrote is read again."""
    hours = pd.date_range("2024-03-30 12:00", periods=500, freq="7h", tz="Europe/Paris").to_frame(index=False, name="t")
    path = str(tmp_path / "t.csv")
    write_table(hours, path)
    assert (read_like(path, hours)["t"] == hours["t"]).all()
    (tmp_path / "t.csv").write_text("t\n2024-03-31 02:30\n2024-10-27 02:30\n2024-06-01 12:00\n")
    wanted = ["2024-03-31 03:00+02:00", "2024-10-27 02:30+02:00", "2024-06-01 12:00+02:00"]
    assert list(read_like(path, hours)["t"]) == [pd.Timestamp(time) for time in wanted]
    assert parse_cell("2024-03-31 02:30", hours["t"]) == pd.Timestamp(wanted[0])
    assert parse_cell("2024-06-01T10:00Z", hours["t"]) == pd.Timestamp(wanted[2])


TEXT = """code,b,month,mixed,when,n,whole,gone,a=b
NA,True,2020-01,2020-01-01,2020-01-05T10:00:00,1.5,1,,x
DE,,2020-02,2020-01-02T00:00+01:00,2020-01-06T10:00:00,NA,,,y
,False,2020-03,,,2,3,,x
"""


def test_guesses(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TEXT)
    table = read_table(str(path))
    assert table["code"].fillna("gap").tolist() == ["NA", "DE", "gap"]
    assert str(table["b"].dtype) == "boolean"
    assert table["month"].tolist() == ["2020-01", "2020-02", "2020-03"]
    assert table["mixed"].tolist()[:2] == ["2020-01-01", "2020-01-02T00:00+01:00"]
    assert table["when"].dt.hour.tolist()[:2] == [10, 10]
    assert table["n"].isna().tolist() == [False, True, False]
    assert str(table["whole"].dtype) == "Int64"
    assert table["gone"].isna().all()


@pytest.mark.parametrize(
    ("kind", "cells", "message"),
    [
        ("integer", ["1.7", "2"], "it holds 1.7"),
        ("number", ["1", "x"], "number"),
        ("time", ["05/01/2020", "12/01/2020"], "ISO 8601"),
        ("time", ["25.01.2020", "x", "26.01.2020"], "it holds 'x'"),
        ("time", ["2020-01-25", "17:45"], "'17:45', which has no date"),
    ],
)
def test_kinds_that_do_not_fit(tmp_path, kind, cells, message):
    (tmp_path / "t.csv").write_text("\n".join(["x", *cells]))
    with pytest.raises(ValueError, match=message):
        read_table(str(tmp_path / "t.csv"), {"x": kind})


def test_whole_numbers_as_dates(tmp_path):
    pd.DataFrame({"d": [20200101, 20200131]}).to_parquet(tmp_path / "t.parquet")
    table = read_table(str(tmp_path / "t.parquet"), {"d": "time"})
    assert table["d"].dt.day.tolist() == [1, 31]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_in_the_dtypes_of_another(tmp_path, name):
    template = pd.DataFrame(
        {
            "i": np.array([1, 2], dtype="int8"),
            "f": [0.5, 1.0],
            "b": [True, False],
            "c": pd.Categorical([1, 2]),
            "t": pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"])),
            "s": ["1", "2"],
        }
    )
    write_table(template.assign(more=1)[["more", *template]], str(tmp_path / name))
    again = read_like(str(tmp_path / name), template)
    for column in template:
        assert again[column].tolist() == template[column].tolist()
    assert again["i"].dtype == "int8"
    odd = template.astype(object).assign(i=["1.9", "300"], b=["yes", "no"], s=["3", None])
    odd.astype(str).replace("None", "").to_csv(tmp_path / "odd.csv", index=False)
    odd = read_like(str(tmp_path / "odd.csv"), template)
    assert odd["i"].tolist() == [1.9, 300]
    assert odd["b"].tolist() == ["yes", "no"]
    assert odd["s"].isna().tolist() == [False, True]


def test_times_that_are_all_missing(tmp_path):
    path = str(tmp_path / "t.csv")
    Path(path).write_text("t,x\n,1\n,2\n")
    assert read_table(path, {"t": "time"})["t"].isna().all()
    for like in (pd.to_datetime(["2024-01-01"]), pd.to_timedelta(["1h"])):
        again = read_like(path, pd.DataFrame({"t": like, "x": [1]}))
        assert again["t"].isna().all()
        assert again["t"].dtype == like.dtype


def test_a_table_scores_like_its_rows(folder, table):
    """What a model drew and what it learned from score alike, in either format."""
    table["gaps"] = pd.array(np.where(table["income"] > 3000, None, table["active"]), dtype="boolean")
    table.to_csv("more.csv", index=False)
    run("fit", "more.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0)
    for name in ("rows.csv", "rows.parquet"):
        run("sample", "model", "-n", 500, "-o", name, "--seed", 0)
    scores = [float(run("score", "model", name).stdout) for name in ("more.csv", "rows.csv", "rows.parquet")]
    assert scores[1] == pytest.approx(scores[2], abs=0.1)
    assert abs(scores[0] - scores[1]) < 2
    run("sample", "model", "-n", 5, "-o", "true.csv", "--condition", "gaps=True")
    assert read_table("true.csv")["gaps"].all()


def test_rows_are_spelt_as_the_file_was(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 300, 200), "D")
    cells = {
        "day": day.strftime("%d.%m.%Y"),
        "minute": (day + pd.to_timedelta(rng.randint(0, 1440, 200), "min")).strftime("%Y-%m-%d %H:%M"),
        "price": [f"{x:.2f}".replace(".", ",") for x in rng.gamma(2, 20, 200)],
        "paid": rng.choice(["TRUE", "FALSE"], 200),
        "count": np.where(rng.uniform(size=200) < 0.2, "NA", rng.randint(0, 100, 200).astype(str)),
        "word": rng.choice(["NA", "a b", "c"], 200),
    }
    pd.DataFrame(cells).to_csv("t.csv", sep=";", index=False)
    patterns = [r"\d\d\.\d\d\.2024", r"2024-\d\d-\d\d \d\d:\d\d", r"\d+,\d\d", "TRUE|FALSE", r"NA|\d+", "NA|a b|c"]
    run("fit", "t.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0, "--type", "day=time")
    drawn = run("sample", "model", "-n", 300).stdout
    run("synth", "t.csv", "-n", 300, "-o", "o.csv", *QUICK, "--quiet", "--type", "day=time")
    for source in (io.StringIO(drawn), "o.csv"):
        rows = pd.read_csv(source, sep=";", dtype=str, keep_default_na=False)
        for (name, column), pattern in zip(rows.items(), patterns, strict=True):
            assert column.str.fullmatch(pattern).all(), name
    run("sample", "model", "-n", 3, "-o", "o.parquet")
    assert pd.read_parquet("o.parquet")["price"].dtype == float


@pytest.mark.parametrize(
    ("source", "target", "text", "first"),
    [
        ("t.tsv", "o.csv", "a\tb\n1.50\tx\n2.25\ty\n", r"[12]\.\d\d,[xy]"),
        ("t.csv", "o.tsv", "a;b\n1,50;x\n2,25;y\n", r"[12]\.\d\d\t[xy]"),
        ("t.csv", "o.csv", "a;lat\n1,50;48.25\n2,25;49.50\n", r"[12],\d\d;4[89]\.\d\d"),
        ("t.csv", "o.csv", "f;a\nTRUE;1,5\nNA;2,5\n", r"(TRUE|NA);[12],\d"),
        ("t.csv", "o.csv", "a,b\n2.00,+1.50\nNA,-2.50\n", r"(2\.00|NA),(\+1|-2)\.50"),
        ("t.csv", "o.csv", "a,b\n1.5E-03,+1\n2.25E-04,+2\n", r"\d\.?\d*E?-?\d*,\+[12]"),
        ("t.csv", "o.csv", "a,b\n1.50E-03,+1.0e+00\n2.25E-04,-2.0e+01\n", r"\d\.\d\dE-0[34],[+-][12]\.0e\+0[01]"),
        ("t.csv", "o.csv", "a\n1e3\n2.5\n", r"[12]\d*\.\d+"),
        ("t.csv", "o.csv", "a\n2024-01-02T03:04\n2025-06-07T08:09\n", r"202[45]-\d\d-\d\dT\d\d:\d\d"),
        ("t.csv", "o.csv", "a\n2024-01-02T03:04:05.250Z\n2024-01-07T08:09:10.750Z\n", r"2024-01-0\dT.{8}\.\d{3}Z"),
        ("t.csv", "o.csv", "a\n2024-01-02 03:04:05.25 -0530\n2024-01-07 08:09:10.75 -0530\n", r".{19}\.\d\d -0530"),
        ("t.csv", "o.csv", "a\n2024-01-02T03:04:05+02:00\n2024-01-07T08:09:10+02:00\n", r"2024-01-0\dT.{8}\+02:00"),
        ("t.csv", "o.csv", 'a\n9:45\n10:05\n""\n', r"9:\d\d|10:0\d|\"\""),
        ("t.csv", "o.csv", "a\n4:00 PM\n12:05 AM\n", r"\d+:\d\d [AP]M"),
        ("t.csv", "o.csv", "a\n04:00pm\n12:05am\n", r"\d\d:\d\d[ap]m"),
        ("t.csv", "o.csv", "a\n0:01:02.250\n1:00:00.500\n", r"\d:\d\d:\d\d\.\d{3}"),
        ("t.csv", "o.csv", "a\n1:02.5\n0:59.0\n", r"[01]:\d\d\.\d"),
        ("t.csv", "o.csv", "a\n31JAN2024\n02MAY2024\n", r"\d\d[A-Z]{3}2024"),
        ("t.csv", "o.csv", "a\n12/02/2023 9:28 am\n12/21/2023 11:05 pm\n", r"12/\d\d/2023 \d+:\d\d [ap]m"),
        ("t.csv", "o.csv", "a\n20240131 08:05\n20240229 17:55\n", r"20240\d\d\d \d\d:\d\d"),
        ("t.csv", "o.csv", "a\n12/02/2023 9:28 AM\n12/21/2023 11:05 PM\n", r"12/\d\d/2023 \d+:\d\d [AP]M"),
        ("t.csv", "o.csv", "a\n09:45:10\n123:05:00\n", r"(09|\d\d+):\d\d:\d\d"),
        ("t.csv", "o.csv", 'a\n"May 04, 2024"\n"May 21, 2024"\n', r"\"May \d\d, 2024\""),
        ("t.csv", "o.csv", "a\n2024.01.02\n2024.03.04\n", r"2024\.0\d\.\d\d"),
        ("t.csv", "o.csv", "a\n1/13/2024 1:05 PM\n2/1/2024 11:59 AM\n", r"[12]/\d+/2024 \d+:\d\d [AP]M"),
        ("t.csv", "o.csv", "a\n(469.13)\n1.50\n", r"\(\d+\.\d\d\)|\d+\.\d\d"),
        ("t.csv", "o.csv", "a;b\n1 469,13;x\n2,25;y\n", r"(1 )?\d{1,3},\d\d;[xy]"),
        ("t.csv", "o.csv", "a\n1\u202f469 km\n2 km\n", r"(1\u202f)?\d{1,3} km"),
        ("t.csv", "o.csv", "a\n1'469.13\n2.25\n", r"(1')?\d{1,3}\.\d\d"),
        ("t.csv", "o.csv", "a\n\u2212$1.5\n$2.5\n", r"\u2212?\$[0-2](\.\d)?"),
        ("t.csv", "o.csv", "a;b\n1.469,50-;x\n2,25;y\n", r"(1\.)?\d{1,3},\d\d-?;[xy]"),
        ("t.csv", "o.csv", "a,b\n-.50,+.5\n.25,-1\n", r"-?\.\d\d,(\+|-)[01]?(\.\d)?"),
        ("t.csv", "o.csv", 'a\n"($1,469.13)"\n$1.50\n', r"\"?(\(\$[\d,]+\.\d\d\)|\$[\d,]+\.\d\d)\"?"),
    ],
)
def test_spelt_rows_can_be_read_again(tmp_path, monkeypatch, source, target, text, first):
    monkeypatch.chdir(tmp_path)
    header, *lines = text.splitlines()
    Path(source).write_text("\n".join([header, *lines * 20]) + "\n")
    run("fit", source, "-o", "model", *QUICK, "--quiet", "--seed", 0)
    run("sample", "model", "-n", 30, "-o", target, "--seed", 0)
    rows = Path(target).read_text().splitlines()
    assert all(re.fullmatch(first, row) for row in rows[1:]), rows[:3]
    assert abs(float(run("score", "model", target).stdout) - float(run("score", "model", source).stdout)) < 1


@pytest.mark.parametrize("form", ["%Y-%m", "%b %Y", "%m/%Y", "%B-%Y"])
def test_months_are_times(folder, form):
    months = pd.date_range("2018-03-01", periods=60, freq="MS").strftime(form)
    pd.DataFrame({"month": months, "x": np.arange(60) % 7}).to_csv("months.csv", index=False)
    assert read_table("months.csv")["month"].dt.is_month_start.all()
    run("fit", "months.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0)
    run("sample", "model", "-n", 40, "-o", "o.csv")
    assert pd.to_datetime(pd.read_csv("o.csv")["month"], format=form).between("2018-03", "2023-02").all()
    assert run("sample", "model", "-n", 3, "--condition", f"month={months[5]}").stdout.count(months[5]) == 3
    seasons = [f"{year}-{year % 100 + 1:02d}" for year in range(2000, 2030)]
    pd.DataFrame({"season": seasons}).to_csv("seasons.csv", index=False)
    with pytest.warns(UserWarning, match="'season' is taken for categories"):
        assert read_table("seasons.csv")["season"].tolist() == seasons
    pd.DataFrame({"season": seasons[6:12] * 9}).to_csv("seasons.csv", index=False)
    assert read_table("seasons.csv")["season"].tolist() == seasons[6:12] * 9


def test_times_are_read_in_the_format_of_the_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=200).strftime("%d/%m/%Y")
    Path("t.csv").write_text("\n".join(["day", *days]))
    run("fit", "t.csv", "-o", "model", *QUICK, "--quiet", "--seed", 0)
    rows = run("sample", "model", "-n", 3, "--condition", "day=31/05/2024").stdout
    assert rows.count("31/05/2024") == 3
    run("sample", "model", "-n", 12, "-o", "o.csv", "--where", "day < '2024-01-12'")
    assert "two ways" in run("report", "o.csv", "o.csv", "--quiet", "--type", "day=time", status=1).stderr
    assert float(run("score", "model", "o.csv").stdout) < 0
    run("report", "t.csv", "o.csv", "--quiet")


def test_times_of_day(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    minutes = range(300, 1000, 7)
    cells = "\n".join(f"{m // 60}:{m % 60:02d},{m % 60}" for m in minutes)
    Path("t.csv").write_text(f"open,x\n{cells}\n")
    assert "open  time, 05:00:00 to 16:33:00" in run("fit", "t.csv", "-o", "model", *QUICK, "--seed", 0).stderr
    assert run("sample", "model", "-n", 2, "--condition", "open=9:05").stdout.count("9:05,") == 2
    drawn = run("sample", "model", "-n", 9, "--where", "open > '12:30'").stdout.splitlines()[1:]
    assert all(int(row.split(":")[0]) >= 12 for row in drawn)
    run("sample", "model", "-n", 9, "-o", "o.parquet")
    assert pd.read_parquet("o.parquet")["open"].dtype.kind == "m"
    assert float(run("score", "model", "o.parquet").stdout) < 0
    Path("t.csv").write_text("ratio\n10:99\n16:10\n")
    assert not pd.api.types.is_timedelta64_dtype(read_table("t.csv")["ratio"])


def test_more_fields_than_names_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("price\n84,97\n81,98\n")
    assert "more fields in a row than names" in run("synth", path, "-n", 3, status=1).stderr


def test_cells_of_several_spellings_are_written_plainly(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(
        "x,when,yes,gap\n" + "1.5,2024-01-05,true,1\n2.25,2024-02-07T10:00,True,NA\n,,false,null\n" * 9
    )
    rows = run("synth", "t.csv", "-n", 40, *QUICK, "--quiet", "--seed", 0).stdout
    rows = pd.read_csv(io.StringIO(rows), dtype=str, keep_default_na=False)
    assert set(rows["x"]) <= {"1.5", "2.25", ""}
    assert rows["when"].str.fullmatch(r"(2024-\d\d-\d\d \d\d:00:00)?").all()
    assert set(rows["yes"]) == {"True", "False"}
    assert set(rows["gap"]) <= {"1", "1.0", ""}


def test_european_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("zip;since\n" + "01067;17.06.2021\n80331;05.07.2021\n10115;18.06.2021\n" * 15)
    table = read_table("t.csv")
    assert table["zip"].tolist()[:2] == ["01067", "80331"]
    assert table["since"].dt.month.tolist()[:3] == [6, 7, 6]
    stdin = (tmp_path / "t.csv").read_text()
    rows = run("synth", "-", "-n", 3, *QUICK, "--quiet", stdin=stdin).stdout
    rows = pd.read_csv(io.StringIO(rows), sep=";", dtype=str)
    assert rows["zip"].isin(table["zip"]).all()
    assert rows["since"].str.fullmatch(r"\d\d\.0[67]\.2021").all()
    (tmp_path / "t.csv").write_text("since\n05.06.2021\n07.08.2021\n")  # the day is first
    assert read_table("t.csv")["since"].dt.month.tolist() == [6, 8]
    (tmp_path / "t.csv").write_text("since\n05/06/2021\n07/08/2021\n")
    with pytest.raises(ValueError, match="two ways"):
        read_table("t.csv", {"since": "time"})
    (tmp_path / "t.csv").write_text("a,b\n")
    assert "no rows" in run("synth", "t.csv", "-n", 3, status=1).stderr


def test_dates_of_conditions_and_folders_of_models(folder):
    run("fit", "data.csv", "-o", "model", *QUICK, "--quiet")
    for text in ("06.07.2021", "2021"):
        assert "ISO 8601" in run("sample", "model", "-n", 2, "--condition", f"since={text}", status=1).stderr
    assert run("sample", "model", "-n", 2, "--condition", "since=2021-06-07").stdout.count("2021-06-07") == 2
    assert run("sample", "model", "-n", 2, "--condition", "children=NA").stdout.count(",,") == 2
    assert "no folder" in run("fit", "data.csv", "-o", "none/model", status=2).stderr


@pytest.mark.parametrize(
    ("form", "asked"), [("%d-%b-%y", "05-Jan-24"), ("%m/%d/%y", "01/05/24"), ("%d.%m.%y", "05.01.24")]
)
def test_years_of_two_digits_are_kept_where_they_are_told(tmp_path, monkeypatch, form, asked):
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2024-01-01", periods=100).strftime(form)
    Path("t.csv").write_text("\n".join(["day", *days]))
    assert "'day' holds times as text" in run("synth", "t.csv", "-n", 1, *QUICK).stderr
    run("fit", "t.csv", "-o", "model", *QUICK, "--quiet", "--type", "day=time")
    rows = run("sample", "model", "-n", 40).stdout.split()[1:]
    assert set(rows) <= set(days)
    assert run("sample", "model", "-n", 2, "--condition", f"day={asked}").stdout.count(asked) == 2
    assert {*run("sample", "model", "-n", 9, "--where", "day < '2024-01-06'").stdout.split()[1:]} <= {*days[:5]}


def test_dates_of_eight_digits_are_dates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2023-01-01", periods=400).strftime("%Y%m%d")
    Path("t.csv").write_text("\n".join(["day,n", *(f"{day},{20230000 + i}" for i, day in enumerate(days))]))
    drawn = run("synth", "t.csv", "-n", 60, *QUICK, "--condition", "n=20230200")
    assert "day  time, 2023-01-01 to 2024-02-04" in drawn.stderr
    assert "n    integer, 20230000 to 20230399" in drawn.stderr
    assert {line.split(",")[0] for line in drawn.stdout.split()[1:]} <= set(days)


@pytest.mark.parametrize("ends", [{}, {"encoding": "utf-8-sig"}, {"lineterminator": "\r\n"}])
def test_files_begin_and_end_their_lines_as_they_did(folder, table, ends):
    table[["sex", "age"]].to_csv("t.csv", index=False, **ends)
    run("synth", "t.csv", "-n", 3, *QUICK, "--quiet", "-o", "o.csv")
    drawn, real = (Path(name).read_bytes() for name in ("o.csv", "t.csv"))
    assert drawn.startswith(real[: real.index(b"\n") + 1])
    assert drawn.count(b"\r") == 4 * ("lineterminator" in ends)


def test_true_and_false_of_a_file_are_words_of_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("on,x\n" + "TRUE,1\nFALSE,2\n" * 30)
    drawn = run("synth", "t.csv", "-n", 5, *QUICK, "--quiet", "--where", "on == TRUE and not (on == false)").stdout
    assert drawn.count("TRUE") == 5


def test_a_title_above_the_names_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("Sales of 2024\nname,age\nann,3\nbob,4\n")
    assert "above the names" in run("synth", "t.csv", "-n", 1, status=1).stderr


def test_conditions_on_odd_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a=b": ["x", "y"] * 20, "n": np.arange(40.0)}).to_csv("t.csv", index=False)
    rows = pd.read_csv(io.StringIO(run("synth", "t.csv", "-n", 4, *QUICK, "--quiet", "--condition", "a=b=y").stdout))
    assert (rows["a=b"] == "y").all()
    twice = ["--condition", "n=1", "--condition", "n=2"]
    assert "two conditions" in run("synth", "t.csv", "-n", 4, *QUICK, "--quiet", *twice, status=2).stderr
    assert "'n' holds no 'abc'" in run("synth", "t.csv", "-n", 4, *QUICK, "--condition", "n=abc", status=1).stderr
    assert "No column" in run("synth", "t.csv", "-n", 4, "--drop", "n", "--drop", "a=b", status=1).stderr
    (tmp_path / "empty.csv").write_text("")
    assert "is empty" in run("synth", "empty.csv", "-n", 4, status=1).stderr
