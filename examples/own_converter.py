"""A converter of your own
==========================

From lines of chemistry lessons, "2 H2 + O2 -> 2 H2O", to graphs.
"""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import grapheme_torch as gt
from grapheme_torch.convert import Format, Piece, Record, Skip, line_pieces, records
from grapheme_torch.data import load_pairs


def reactions(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    catalyst: bool = False,
) -> Iterator[Record]:
    """Reactions to graphs: an edge from each thing that goes in to each that comes out.

    Args:
        lines: One reaction per line.
        source: Name of the file, for messages.
        skip: Called with each line that is refused.
        catalyst: Whether the line may end in "(catalyst)", which is a node too.
    """

    def make(piece: Piece) -> Record:
        left, arrow, right = piece.text.partition("->")
        if not arrow:
            raise gt.InputError("a reaction must have an arrow `->`. Write one per line.")
        right, _, extra = right.partition("(")
        sides = [[word.split()[-1] for word in side.split("+")] for side in (left, right)]
        labels = sides[0] + sides[1] + ([extra.strip(" )")] if catalyst and extra else [])
        ends = [(i, len(sides[0]) + j) for i in range(len(sides[0])) for j in range(len(sides[1]))]
        target = gt.make_graph(labels, [(i, j, "becomes") for i, j in ends])
        return {"input": piece.text, "target": gt.graph_to_node_link(target)}

    return records(line_pieces(lines, source), make, skip)


FORMAT = Format(reactions, "Chemical equations to graphs.")

with tempfile.TemporaryDirectory() as folder:
    file, data = Path(folder, "lesson.txt"), Path(folder, "lesson.jsonl")
    file.write_text("2 H2 + O2 -> 2 H2O\nall done\nN2 + 3 H2 -> 2 NH3 (Fe)\n", encoding="utf-8")
    done = gt.convert.convert(FORMAT, str(file), str(data), skip_bad=True, catalyst=True)
    print(done)
    pairs = load_pairs(data)
    for pair in pairs:
        print(gt.graph_to_text(pair.input), pair.target.label)
assert (done.format, done.records, done.skipped) == ("reactions", 2, 1)
assert pairs[1].target.label == ["N2", "H2", "NH3", "Fe"]
# In an installed package, these lines of pyproject.toml give `grapheme convert reactions`:
#     [project.entry-points."grapheme_torch.formats"]
#     reactions = "my_package.reactions:FORMAT"
