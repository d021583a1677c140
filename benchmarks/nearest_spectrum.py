"""How far does the nearest known spectrum get? Scaffolds by matchms, for the recipes `spectra*`.

    python benchmarks/nearest_spectrum.py DATA [--test FILE] [--tolerance 0.02]

DATA is the folder of the raw spectra, prepared as by `recipes/run.py spectra-alone DATA`: the same
compounds are held out. Each held-out spectrum gets the scaffold of the training spectrum that it is
most like, by the cosine and by the spectral entropy of `matchms.similarity.FlashSimilarity`. The
hybrid ones count peaks that match by what they have lost, too. Beside them stand the scaffold that
twenty molecules vote for, as `grapheme convert spectra --known` puts it first, and the commonest
one of the training spectra. Needs matchms.
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
from typing import Any, NamedTuple

# matchms shows a bar for each few spectra. Read when tqdm is first imported, by whomever.
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
from _record import record

sys.path.append(str(Path(__file__).parent.parent / "recipes"))

from run import HERE, prepare, read_tasks

from grapheme_torch.convert._spectral_search import KnownSpectra, Spectrum

AT_ONCE = 200
"""Held-out spectra that are compared with all others at a time: 90 MB of scores."""

SCORES = {
    "cosine": ("cosine", "fragment"),
    "hybrid_cosine": ("cosine", "hybrid"),
    "spectral_entropy": ("spectral_entropy", "fragment"),
    "hybrid_spectral_entropy": ("spectral_entropy", "hybrid"),
}
"""Score and mode of matching."""


class Known(NamedTuple):
    """A spectrum, as matchms has it and as the search of this library has it."""

    matchms: Any
    ours: Spectrum
    scaffold: str
    compound: str


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
    for name in SCORES:
        found[name] = _nearest(known, asked, name, chosen.tolerance)
    found["votes"] = _votes(known, asked, chosen.tolerance)
    for name in (*SCORES, "votes"):
        print(f"{name:23} {found[name]['exact']:.1%} exact, {found[name]['seconds']:.0f} s")
    print(f"{'commonest scaffold':23} {found['commonest']:.1%} exact")
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


def _records(path: str) -> Iterator[Known]:
    """The spectrum of each line, its scaffold and its molecule."""
    import matchms

    for line in Path(path).read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        precursor, *peaks = (node["x"] for node in document["input"]["nodes"])
        mass, _, strength = np.array(peaks, dtype=float).reshape(-1, 3).T
        order = np.argsort(mass, kind="stable")
        told = {"precursor_mz": precursor[0]}
        spectrum = matchms.Spectrum(mz=mass[order], intensities=strength[order], metadata=told)
        ours = Spectrum([*zip(mass.tolist(), strength.tolist(), strict=True)], precursor[0])
        yield Known(spectrum, ours, document["scaffold"], document["compound"])


def _commonest(known: Sequence[Known], asked: Sequence[Known]) -> dict[str, float]:
    ((best, _),) = Counter(one.scaffold for one in known).most_common(1)
    return {"commonest": sum(one.scaffold == best for one in asked) / len(asked)}


def _votes(known: Sequence[Known], asked: Sequence[Known], tolerance: float) -> dict[str, float]:
    """The share that gets its scaffold from the vote; one without any likeness none."""
    began, right = time.process_time(), 0
    names, molecules = zip(*((one.scaffold, one.compound) for one in known), strict=True)
    library = KnownSpectra([one.ours for one in known], names, molecules, tolerance)
    for one in asked:
        right += [near.target for near in library.nearest(one.ours, 1)] == [one.scaffold]
    return {"exact": right / len(asked), "seconds": time.process_time() - began}


def _nearest(
    known: Sequence[Known], asked: Sequence[Known], name: str, tolerance: float
) -> dict[str, float]:
    """The share that gets its scaffold from the nearest spectrum; one without any likeness none."""
    from matchms.similarity import FlashSimilarity

    began, right = time.process_time(), 0
    score, mode = SCORES[name]
    measure = FlashSimilarity(score_type=score, matching_mode=mode, tolerance=tolerance)
    library = [one.matchms for one in known]
    for k in range(0, len(asked), AT_ONCE):
        some = asked[k : k + AT_ONCE]
        scores = measure.matrix(library, [one.matchms for one in some], n_jobs=1)
        best = scores.argmax(0)
        for column, (row, one) in enumerate(zip(best, some, strict=True)):
            right += bool(scores[row, column] > 0) and known[row].scaffold == one.scaffold
    return {"exact": right / len(asked), "seconds": time.process_time() - began}


if __name__ == "__main__":
    raise SystemExit(main())
