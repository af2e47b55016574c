"""What each stage of the fit is worth: the figures of benchmark.py with stages left out or exchanged.

Run as ``python docs/benchmarks/ablation.py FOLDER [--tables magic adult] [--seeds 0 1 2] [--rows 5000]``. Within a
table and seed all variants have the same prior and the same warm start, as far as they have one; only "prior" itself is
fitted to all rows, and the others' to those that are not held out. One JSON line a run goes to stdout; to stderr the
medians over seeds.
"""

import json
import sys
import warnings

import pandas as pd
from benchmark import evaluate, medians, parser_of_tables, tables, tell_versions

from skgmmgan import GMMGAN

ABSORB = {"adversarial_weight": 0.3, "keep_discriminators": False}
VARIANTS = {
    "prior": {"max_epochs": 0, "adversarial_rounds": 0},
    "warm start": {"adversarial_rounds": 0},
    "keep trees": {},  # the default
    "keep trees, no warm start": {"max_epochs": 0},
    "keep perceptrons": {"discriminator": "mlp"},
    "absorb, reverse KL": ABSORB,
    "absorb, minimax": ABSORB | {"adversarial_loss": "minimax"},
    "absorb, non-saturating": ABSORB | {"adversarial_loss": "non_saturating"},
    "absorb, weight .1": ABSORB | {"adversarial_weight": 0.1},
    "absorb, then keep trees": {"adversarial_weight": 0.3},
}


def main():
    """Run all variants."""
    parser = parser_of_tables(__doc__, rows=5000)
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    options = parser.parse_args()
    tell_versions("skgmmgan", "numpy", "scikit-learn", "torch")
    results = []
    for seed in options.seeds:
        for table, train, test, target in tables(options.folder, options.tables, options.rows):
            for name in options.variants:
                model = GMMGAN(random_state=seed, **VARIANTS[name])
                results.append({"table": table} | evaluate(name, model, train, test, target, seed))
                print(json.dumps(results[-1]), flush=True)
    print(medians(pd.DataFrame(results)).round(3).to_string(), file=sys.stderr)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
