"""Tables of dates and of what is derived of them: whether rows agree with their date, and what hangs on its parts.

Run as ``python docs/benchmarks/dates.py [--tables visits] [--rows 4000] [--seeds 0 1]``. `sales` has days, `bike` hours
of two years, `rentals` the same without what is derived of them, `visits` times of working hours, and `careers` days on
which they began and, a fifth of them, have ended; each with the date as its first or its last column. One JSON line a
run goes to stdout, medians over seeds to stderr.
"""

import argparse
import json
import sys
import time

import numpy as np
import pandas as pd
from benchmark import tell_versions

from skgmmgan import GMMGAN
from skgmmgan.metrics import c2st_score, shape_error, trend_error

PARTS = ("year", "quarter", "month", "hour", "day_of_week")
TEST_ROWS = 2000


def parts(date, *names):
    """Columns of parts of dates."""
    return {name: getattr(date.dt, name).astype(int) for name in names}


def seasonal(date, rng):
    """Temperatures by month and hour."""
    cycles = 12 * np.cos(2 * np.pi * (date.dt.month - 1) / 12) + 4 * np.cos(2 * np.pi * date.dt.hour / 24)
    return np.round(15 - cycles + rng.normal(0, 3, len(date)), 1)


def sales(n, rng):
    date = pd.Series(pd.to_datetime("2022-01-01") + pd.to_timedelta(rng.integers(0, 731, n), unit="D"))
    weekend, warmth = date.dt.day_of_week >= 5, seasonal(date, rng)
    sold = rng.poisson(20 + 30 * weekend + warmth.clip(0))
    told = parts(date, "year", "month", "day_of_week")
    return pd.DataFrame({"date": date, **told, "weekend": weekend, "warmth": warmth, "count": sold}), "day_of_week"


def bike(n, rng):
    date = pd.Series(pd.to_datetime("2022-01-01") + pd.to_timedelta(rng.integers(0, 17_520, n), unit="h"))
    hour, workday, warmth = date.dt.hour, date.dt.day_of_week < 5, seasonal(date, rng)
    rush = np.exp(-(((hour - 8) / 1.5) ** 2)) * workday + np.exp(-(((hour - 17) / 2.5) ** 2))
    rented = rng.poisson(np.exp(2 + 1.5 * rush + 0.03 * warmth))
    told = parts(date, *PARTS)
    return pd.DataFrame({"date": date, **told, "workday": workday, "warmth": warmth, "count": rented}), "hour"


def rentals(n, rng):
    return bike(n, rng)[0][["date", "warmth", "count"]], "hour"


def visits(n, rng):
    date = pd.Series(rng.choice(pd.bdate_range("2022-01-01", "2023-12-31"), n))
    date += pd.to_timedelta((9 * 60 + 8 * 60 * rng.beta(1.5, 2, n)).astype(int) // 15 * 15, unit="min")
    kind = pd.Series(np.where(rng.uniform(size=n) < 0.3, "first", "next"))
    return pd.DataFrame({"date": date, "kind": kind, "count": rng.poisson(20 + 20 * (kind == "first"))}), "kind"


def careers(n, rng):
    date = pd.Series(pd.to_datetime("2010-01-01") + pd.to_timedelta(rng.integers(0, 5000, n), unit="D"))
    days = ((pd.Timestamp("2024-06-30") - date).dt.days * rng.uniform(size=n)).astype(int)
    ended = (date + pd.to_timedelta(days, unit="D")).where(rng.uniform(size=n) < 0.2)
    kind = pd.Series(rng.choice(["sales", "care", "lab"], n))
    return pd.DataFrame({"date": date, "ended": ended, "kind": kind, "count": rng.poisson(20, n)}), "kind"


def hours_of_week(times):
    """Share of each hour of a week, by its number from Monday on."""
    return (24 * times.dt.day_of_week + times.dt.hour).value_counts(normalize=True)


def run(make, date_first, n_rows, seed):
    """Figures of one fit, as a dict."""
    table, by = make(n_rows + TEST_ROWS, np.random.default_rng(seed))
    if not date_first:
        table = table[table.columns[::-1]]
    train, test = table[:n_rows], table[n_rows:].reset_index(drop=True)
    start = time.perf_counter()
    model = GMMGAN(random_state=seed).fit(train)
    fit_s = time.perf_counter() - start
    rows, _ = model.sample(n_rows)
    told = parts(rows["date"], *(name for name in train if name in PARTS))
    means = [X.groupby(X[by] if by in X else getattr(X["date"].dt, by))["count"].mean() for X in (train, rows)]
    hours = [hours_of_week(X["date"]) for X in (train, rows)]
    ends = rows.get("ended", rows["date"])
    return {
        "table": make.__name__,
        "date": "first" if date_first else "last",
        "seed": seed,
        "agree": float(np.all([rows[name] == x for name, x in told.items()], axis=0).mean()),
        "end_before": float((ends < rows["date"]).sum() / ends.notna().sum()),
        "hours_error": float(hours[1].sub(hours[0], fill_value=0).abs().sum() / 2),
        "unseen_hours": float(hours[1].drop(hours[0].index, errors="ignore").sum()),
        "mean_error": float((means[1] - means[0]).abs().mean() / means[0].mean()),
        "c2st": c2st_score(train, rows, random_state=seed),
        "shape_error": shape_error(train, rows),
        "trend_error": trend_error(train, rows),
        "log_likelihood": model.score(test),
        "fit_s": fit_s,
    }


TABLES = {make.__name__: make for make in (sales, bike, rentals, visits, careers)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    options = parser.parse_args()
    tell_versions("skgmmgan", "numpy", "scikit-learn", "torch")
    results = []
    for make in map(TABLES.get, options.tables):
        for date_first in (True, False):
            for seed in options.seeds:
                results.append(run(make, date_first, options.rows, seed))
                print(json.dumps(results[-1]), flush=True)
    medians = pd.DataFrame(results).groupby(["table", "date"], sort=False).median(numeric_only=True)
    print(medians.drop(columns="seed").round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    main()
