"""Hostile folders, options and data: trials, survived, and what was lost.

    python benchmarks/attacks.py [--only folders] [--name WORD] [--record]

A trial is survived if it ends by itself, within time and memory, with a result or in our words.
With `--record` the counts go to `results/attacks.json`. Exit status 1 if one was lost.
"""

import argparse
import os
import sys
from pathlib import Path

from _record import record

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.attacks.survey import FAMILIES, survey


def main() -> int:
    """Prints the table; the exit status is 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=FAMILIES, action="append")
    parser.add_argument("--name", default="", help="do only trials whose name holds it")
    parser.add_argument("--seconds", type=float, default=20.0, help="a trial is slow after them")
    parser.add_argument("--record", action="store_true", help="write results/attacks.json")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = {}
    for family in asked.only or FAMILIES:
        one = survey(
            family, lambda name: asked.name in name, asked.seconds,
            lambda lost: print(lost, file=sys.stderr, flush=True),
        )  # fmt: skip
        found[family] = one
        print(f"| {family} | {one['trials']} | {one['survived']} | {one['outcomes']} |", flush=True)
        if asked.record:  # after each family: they take long, and may be stopped
            record("attacks", found)
    return int(any(one["lost"] for one in found.values()))


if __name__ == "__main__":
    sys.exit(main())
