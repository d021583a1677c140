"""The formats by name: the function that reads each, and what it reads from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ._cogs import cogs
from ._conllu import conllu
from ._graph_files import gexf, graphml
from ._pair_tables import pairs
from ._pieces import Record
from ._python import python
from ._sdf import sdf
from ._smiles import smiles


@dataclass(frozen=True)
class Format:
    """A format.

    Args:
        read: Gives the records; its first argument is what is read, the others are options.
        help: What it converts, in a line.
        feed: Whether `read` takes the lines of a file, sources (files, or the lines of a JSON
            Lines file), or pairs of files.
        suffix: The ending of files that are looked for in a folder.
    """

    read: Callable[..., Iterator[Record]]
    help: str
    feed: Literal["lines", "sources", "pairs"] = "lines"
    suffix: str = ""


FORMATS = {
    "smiles": Format(smiles, "SMILES text to molecule graphs."),
    "sdf": Format(sdf, "SDF records to SMILES and molecule graphs."),
    "conllu": Format(conllu, "CoNLL-U sentences to dependency trees."),
    "cogs": Format(cogs, "COGS sentences to semantic graphs."),
    "python": Format(python, "Python source to syntax trees.", "sources", ".py"),
    "pairs": Format(pairs, "Columns of a table to pairs of texts or symbol sequences."),
    "graphml": Format(graphml, "Pairs of GraphML files to pairs of graphs.", "pairs", ".graphml"),
    "gexf": Format(gexf, "Pairs of GEXF files to pairs of graphs.", "pairs", ".gexf"),
}
