"""Damaged inputs of every reader: how many were read, refused, or ended otherwise.

    python benchmarks/fuzz.py [--count 100000] [--only smiles] [--record]

With `--record` the counts go to `results/fuzz.json` after each format. Exit status 1 on a fault.
"""

import argparse
import logging
import resource
import sys
import warnings
from pathlib import Path

from _record import record

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.attacks.fuzz import READERS, fuzz


def main() -> int:
    """Prints a row for each format; the exit status is 1 if an input was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=READERS, action="append")
    parser.add_argument("--record", action="store_true", help="write results/fuzz.json")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    found = {}
    for kind in asked.only or READERS:
        one = fuzz(kind, asked.count, asked.seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found[kind] = {"seed": asked.seed, **one, "peak_megabytes": peak}
        print(kind, found[kind], flush=True)
        if asked.record:
            record("fuzz", found, packages=("rdkit",))
    return int(any(one["faults"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
