"""New structure on SLOG: questions and clauses that no training sentence has.

    python benchmarks/structure.py RUN DATA

RUN is a network trained on SLOG's training file, such as `recipes/run.py slog DATA` leaves in
runs/recipes/slog/seed-0; DATA is the folder of SLOG's files. Sentences of two sorts are made of the
dev file, and the network is measured on them: questions written by hand (see
_structure/questions.py), and recombined pairs whose structure is deeper than any training pair's.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from _record import record
from _structure import questions

from grapheme_torch.convert import convert
from grapheme_torch.data import Pair, load_pairs
from grapheme_torch.graphs import edge_triples
from grapheme_torch.recombination import recombine
from grapheme_torch.train import evaluate

MOST, RECOMBINED = 150, 16_000
AS_TRAINED: dict[str, Any] = {"unit": "word", "articles": True, "positions": True}


def main() -> None:
    """Makes the sentences, measures and records."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", metavar="RUN", help="folder of the run")
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of SLOG's files")
    words = parser.parse_args()
    torch.set_num_threads(1)
    lines = [line.split("\t") for line in (words.data / "dev.tsv").read_text("utf-8").splitlines()]
    sets = {**asked(lines), **recombined(lines)}
    rows = []
    for name, pairs in sets.items():
        metrics = evaluate(words.run, pairs, form="slog").metrics
        row = {"kind": name, "sentences": len(pairs)}
        row |= {key: metrics[key] for key in ("exact_match", "exact_form", "edge_recall")}
        rows.append(row)
        print(json.dumps(row), flush=True)
    record("structure", {"rows": rows})


def asked(lines: Sequence[Sequence[str]]) -> dict[str, list[Pair]]:
    """Questions and clauses of kinds that training has not, of the lines of a file.

    They are read beside the lines themselves: what word tells a node is learnt from all.
    """
    kinds = questions.made(((s, form, kind) for s, form, kind in lines), MOST)
    made = [(*line, name) for name, each in kinds.items() for line in each]
    pairs = read([*lines, *made])
    return {name: [pair for pair in pairs if pair.extra["type"] == name] for name in kinds}


def recombined(lines: Sequence[Sequence[str]]) -> dict[str, list[Pair]]:
    """Recombined pairs of the lines of a file, by what is deep in them."""
    made = recombine(read(lines), RECOMBINED, seed=1, max_nodes=60)
    random.Random(1).shuffle(made)
    kinds = {
        "three clauses or more": lambda pair: depth(pair, "ccomp") >= 3,
        "three phrases or more": lambda pair: depth(pair, "nmod . ") >= 3,
        "three relative clauses or more": lambda pair: count(pair, "nmod") >= 3,
        "a modified subject": lambda pair: modified(pair, "agent"),
        "a modified recipient": lambda pair: modified(pair, "recipient"),
    }
    return {name: list(filter(holds, made))[:MOST] for name, holds in kinds.items()}


def read(lines: Sequence[Sequence[str]]) -> list[Pair]:
    """The pairs of lines of SLOG; those whose forms do not come back are left out, and told."""
    with tempfile.TemporaryDirectory() as folder:
        raw, out = Path(folder) / "raw.tsv", Path(folder) / "pairs.jsonl"
        raw.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
        done = convert("slog", str(raw), str(out), skip_bad=True, **AS_TRAINED)
        if done.skipped:
            print(f"{done.skipped} of {len(lines)} lines left out", file=sys.stderr)
        return load_pairs(out)


def depth(pair: Pair, relation: str) -> int:
    """The longest chain of edges whose label begins so."""
    after: dict[int, list[int]] = {}
    for source, target, label in edge_triples(pair.target):
        if label.startswith(relation):
            after.setdefault(source, []).append(target)

    def longest(node: int, seen: frozenset[int]) -> int:
        return max(
            (1 + longest(k, seen | {k}) for k in after.get(node, []) if k not in seen), default=0
        )

    return max((longest(node, frozenset({node})) for node in after), default=0)


def count(pair: Pair, relation: str) -> int:
    """How many edges have this label."""
    return sum(label == relation for _, _, label in edge_triples(pair.target))


def modified(pair: Pair, role: str) -> bool:
    """Whether what has this role is itself modified, in a sentence of moderate length."""
    edges = edge_triples(pair.target)
    by = {source for source, _, label in edges if label.startswith("nmod")}
    short = (pair.input.num_nodes or 0) < 25
    return short and any(target in by for _, target, label in edges if label == role)


if __name__ == "__main__":
    main()
