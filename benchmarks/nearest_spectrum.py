"""How far does the nearest known spectrum get? Scaffolds by matchms, for the recipes `spectra*`.

    python benchmarks/nearest_spectrum.py DATA [--test FILE] [--tolerance 0.02]

DATA is the folder of the raw spectra, prepared as by `recipes/run.py spectra-alone DATA`: the same
compounds are held out. Each held-out spectrum gets the scaffold of the training spectrum that it is
most like, by the cosine and by the spectral entropy of `matchms.similarity.FlashSimilarity`. The
commonest scaffold of the training spectra stands beside them. Needs matchms.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# matchms shows a bar for each few spectra. Read when tqdm is first imported, by whomever.
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
from _record import record

sys.path.append(str(Path(__file__).parent.parent / "recipes"))

from run import HERE, prepare, read_tasks

AT_ONCE = 200
"""Held-out spectra that are compared with all others at a time: 90 MB of scores."""

SCORES = ("cosine", "spectral_entropy")


def main(words: Sequence[str] | None = None) -> int:
    """Compares, prints the shares of right scaffolds, and records them."""
    chosen = _parser().parse_args(words)
    try:
        import matchms  # noqa: F401
    except ImportError:
        print("nearest_spectrum.py: matchms is not installed. pip install matchms", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        task = read_tasks(HERE / "tasks.yaml")["spectra-alone"]
        sets, counts = prepare(task, Path(chosen.data), Path(folder), chosen.test)
        known, asked = ([*_records(sets[name])] for name in ("train", "test"))
    found = {"counts": counts, "tolerance": chosen.tolerance, **_commonest(known, asked)}
    for score in SCORES:
        found[score] = _nearest(known, asked, score, chosen.tolerance)
        print(f"{score:18} {found[score]['exact']:.1%} exact, {found[score]['seconds']:.0f} s")
    print(f"{'commonest scaffold':18} {found['commonest']:.1%} exact")
    if not chosen.no_record:
        record("nearest_spectrum", found, packages=("matchms",))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", metavar="DATA", help="folder of train.jsonl.gz")
    parser.add_argument("--test", help="raw file to test on")
    parser.add_argument("--tolerance", type=float, default=0.02, help="of masses, in dalton (0.02)")
    parser.add_argument("--no-record", action="store_true", help="only print")
    return parser


def _records(path: str) -> Iterator[tuple[Any, str]]:
    """The spectrum and the scaffold of each line."""
    from matchms import Spectrum

    for line in Path(path).read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        precursor, *peaks = (node["x"] for node in document["input"]["nodes"])
        mass, _, strength = np.array(peaks, dtype=float).reshape(-1, 3).T
        order = np.argsort(mass, kind="stable")
        told = {"precursor_mz": precursor[0]}
        yield (
            Spectrum(mz=mass[order], intensities=strength[order], metadata=told),
            document["scaffold"],
        )


def _commonest(known: Sequence[Any], asked: Sequence[Any]) -> dict[str, float]:
    ((best, _),) = Counter(scaffold for _, scaffold in known).most_common(1)
    return {"commonest": sum(scaffold == best for _, scaffold in asked) / len(asked)}


def _nearest(
    known: Sequence[Any], asked: Sequence[Any], score: str, tolerance: float
) -> dict[str, float]:
    """The share that gets its scaffold from the nearest spectrum; one without any likeness none."""
    from matchms.similarity import FlashSimilarity

    began, right = time.process_time(), 0
    measure = FlashSimilarity(score_type=score, tolerance=tolerance)
    library = [spectrum for spectrum, _ in known]
    for k in range(0, len(asked), AT_ONCE):
        some = asked[k : k + AT_ONCE]
        scores = measure.matrix(library, [spectrum for spectrum, _ in some], n_jobs=1)
        best = scores.argmax(0)
        for column, (row, (_, scaffold)) in enumerate(zip(best, some, strict=True)):
            right += bool(scores[row, column] > 0) and known[row][1] == scaffold
    return {"exact": right / len(asked), "seconds": time.process_time() - began}


if __name__ == "__main__":
    raise SystemExit(main())
