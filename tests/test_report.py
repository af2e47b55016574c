"""The report: its verdicts, and its page in a browser."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from skgmmgan.report import FAIR, GOOD, POOR, QualityReport

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
CORRELATED = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])


def draw(n, covariance=CORRELATED, seed=0):
    return np.random.default_rng(seed).multivariate_normal(np.zeros(3), covariance, n)


def verdicts(report):
    return {figure.name: figure.verdict for figure in report.figures}


def test_rows_of_the_same_distribution_are_good():
    report = QualityReport(draw(500), draw(500, seed=1), draw(500, seed=2), random_state=0)
    assert set(verdicts(report).values()) == {GOOD}
    assert report.summary().startswith("Every measure is good: but so few real rows")
    alone = QualityReport(draw(500), draw(500, seed=1), random_state=0)
    assert set(verdicts(alone).values()) == {GOOD}
    assert "nearer to training" not in verdicts(alone)


def test_what_is_wrong_is_named():
    independent = draw(500, np.eye(3), seed=1)
    found = verdicts(QualityReport(draw(500), independent, draw(500, seed=2), random_state=0))
    assert found["trend error"] in (FAIR, POOR)
    assert found["detector AUC"] != GOOD
    assert found["shape error"] == GOOD
    moved = draw(500, seed=1)
    moved[:, 2] += 1
    report = QualityReport(draw(500), moved, random_state=0)
    assert report.columns[0][0] == 2
    assert report.columns[0][1] > 3 * report.columns[1][1]
    assert "detector AUC" in report.summary()


def test_identifiers_are_told():
    pd = pytest.importorskip("pandas")
    rows = pd.DataFrame({"x": np.arange(200) % 7, "id": [f"row {i}" for i in range(200)], "n": np.arange(200)})
    with pytest.warns(UserWarning, match="Column 'id', 'n' tells each row apart"):
        QualityReport(rows, rows, random_state=0)


def test_a_holdout_of_training_rows_is_told():
    real = draw(500)
    with pytest.warns(UserWarning, match="80% of the held-out rows are rows of the real table"):
        QualityReport(real, draw(500, seed=1), np.concatenate([real[:200], draw(50, seed=2)]), random_state=0)
    levels = np.round(real)  # repeat anyway
    QualityReport(levels, np.round(draw(500, seed=1)), np.round(draw(500, seed=2)), random_state=0)


def test_broken_rules_are_named(tmp_path):
    """Of a table with a rule, rows that break it; of one without, no figure."""
    pytest.importorskip("matplotlib")
    price, quantity, test = np.random.default_rng(0).integers(1, 60, size=(3, 500))
    real = np.column_stack([price, quantity, price * quantity])
    synthetic = np.column_stack([price, test, price * test])
    report = QualityReport(real, synthetic, random_state=0)
    assert verdicts(report)["broken rules"] == GOOD
    assert report.rules == [((2, 0, 1), 0.0)]
    assert "most broken" not in str(report)
    report.to_html(tmp_path / "report.html")
    assert "2 given 0, 1</th><td>0.000" in (tmp_path / "report.html").read_text()
    synthetic[:40, 2] += 1
    report = QualityReport(real, synthetic, synthetic[::-1], random_state=0)
    (figure,) = (figure for figure in report.figures if figure.name == "broken rules")
    assert (figure.value, figure.usual, figure.verdict) == (0.08, "0.080", GOOD)
    report = QualityReport(real, synthetic, np.column_stack([test, price, price * test]), random_state=0)
    assert verdicts(report)["broken rules"] == POOR
    assert "most broken rules: 2 given 0, 1 0.080" in str(report)
    report.to_html(tmp_path / "report.html")
    assert "2 given 0, 1</th><td>0.080" in (tmp_path / "report.html").read_text()
    assert "broken rules" not in verdicts(QualityReport(draw(500), draw(500, seed=1), random_state=0))


def test_rows_with_their_components_are_no_table():
    table = pytest.importorskip("pandas").DataFrame(draw(20))
    with pytest.raises(TypeError, match="rows alone"):
        QualityReport(table, (table, np.zeros(20)))


def test_copies_are_named():
    real = draw(500)
    found = verdicts(QualityReport(real, real, draw(500, seed=2), random_state=0))
    assert found["copies"] == POOR
    assert found["nearer to training"] == POOR


@pytest.mark.parametrize("kind", [np.asarray, lambda b: b > 1, lambda b: np.digitize(b, [0, 2, 3]).astype(str)])
def test_utility_is_left_out_where_real_rows_teach_nothing(kind):
    pd = pytest.importorskip("pandas")
    tables = (pd.DataFrame(draw(400, np.eye(3), seed=s), columns=list("abc")) for s in range(3))
    real, rows, test = (table.assign(b=kind(table["b"])) for table in tables)
    report = QualityReport(real, rows, test, target="b", random_state=0)
    assert "train on synthetic" not in verdicts(report)
    assert "the real rows teach too little about 'b'" in report.summary()


def test_utility_is_that_of_the_synthetic_rows():
    pd = pytest.importorskip("pandas")
    real, test = (pd.DataFrame(draw(400, seed=s), columns=list("abc")) for s in (0, 1))
    shuffled = real.assign(a=real["a"].sample(frac=1, random_state=0).to_numpy())
    good, poor = (verdicts(QualityReport(real, X, test, target="b", random_state=0)) for X in (real, shuffled))
    assert good["train on synthetic"] == GOOD
    assert poor["train on synthetic"] == POOR


def test_what_a_report_needs():
    with pytest.raises(ValueError, match="synthetic has 3 rows"):
        QualityReport(draw(60), draw(3))
    with pytest.raises(ValueError, match="target=1 needs a holdout"):
        QualityReport(draw(60), draw(60), target=1)


def test_large_tables_are_thinned():
    report = QualityReport(draw(30_000), draw(20_000, seed=1), random_state=0)
    assert len(report.real) == len(report.synthetic) == 10_000
    assert "30,000 real, 20,000 synthetic" in repr(report)


def test_text_and_notebook():
    report = QualityReport(draw(60), draw(60, seed=1), random_state=0)
    text = repr(report)
    assert text.splitlines()[0] == "QualityReport: 60 real, 60 synthetic rows of 3 columns"
    assert max(map(len, text.splitlines())) < 100
    assert report._repr_html_().count("<tr>") == len(report.figures) + 1


class Tags(HTMLParser):
    """Checks that tags are closed in order, and collects sources."""

    def __init__(self):
        super().__init__()
        self.open, self.sources = [], []

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    tables = [pd.DataFrame(draw(200, seed=s), columns=["a", "b", "<c & d>"]) for s in range(3)]
    for table in tables:
        table["level"] = np.where(table["a"] > 0, "<b>high", "low")
    path = tmp_path_factory.mktemp("report") / "report.html"
    QualityReport(*tables, random_state=0).to_html(path)
    return path


def test_page_needs_no_other_file(page):
    tags = Tags()
    tags.feed(page.read_text(encoding="utf-8"))
    assert tags.open == []
    assert len(tags.sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in tags.sources)
    assert "&lt;c &amp; d&gt;" in page.read_text(encoding="utf-8")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
@pytest.mark.parametrize("width", [500, 1400])
def test_page_in_a_browser(page, tmp_path, width):
    """Nothing is wider than the window, and what is in view is drawn."""
    plt = pytest.importorskip("matplotlib.pyplot")
    probe = tmp_path / "probe.html"
    script = "<script>document.title = `${document.documentElement.scrollWidth} ${innerWidth}`</script></body>"
    probe.write_text(page.read_text(encoding="utf-8").replace("</body>", script), encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2400"]
    dom = subprocess.run([*command, "--dump-dom", probe.as_uri()], capture_output=True, text=True, timeout=120).stdout
    needed, window = map(int, re.search(r"<title>(\d+) (\d+)</title>", dom).groups())
    assert needed <= window
    screen = tmp_path / "screen.png"
    subprocess.run([*command, f"--screenshot={screen}", page.as_uri()], capture_output=True, timeout=120, check=True)
    pixels = plt.imread(screen)[..., :3]
    assert pixels.shape[1] == width
    rows_with_ink = (pixels < 0.9).any(axis=(1, 2)).mean()
    assert rows_with_ink > 0.4
