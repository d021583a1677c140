"""The formats by name: the function that reads each, and what it reads from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from torch_geometric.data import Data

from .._check import InputError, Received, notice, refusal, require
from ._cogs import cogs, cogs_to_logical_form
from ._conllu import conllu
from ._fingerprint import fingerprint, molecule_to_fingerprint
from ._graph_files import gexf, graphml
from ._pair_tables import pairs
from ._pieces import Record
from ._python import python
from ._sdf import sdf
from ._slog import slog, slog_to_logical_form
from ._smiles import smiles
from ._spectra import spectra


@dataclass(frozen=True)
class Format:
    """A format, such as one of your own.

    Args:
        read: Gives the records. Its first argument is what is read. `skip` is called with each
            piece that is refused (see `records`). `source` is the name of the file, if it reads
            lines. Its further arguments, with a default each, are the options.
        help: What it converts, in a line.
        feed: Whether `read` takes the lines of a file, sources (files, or the lines of a JSON
            Lines file), or pairs of files.
        suffix: The ending of files that are looked for in a folder.
        write: Gives the text of a graph back, of `(sentence, graph, alignment, unit=...)`, where
            the format has texts that graphs tell exactly. See `cogs_to_logical_form`.
        input_of: Gives the input that a target has, of the graph of the target, where targets
            tell their inputs. It raises `InputError` for a graph that is no target. See
            `molecule_to_fingerprint`.
    """

    read: Callable[..., Iterator[Record]]
    help: str
    feed: Literal["lines", "sources", "pairs"] = "lines"
    suffix: str = ""
    write: Callable[..., str] | None = None
    input_of: Callable[[Data], Data] | None = None


FORMATS = {
    "smiles": Format(smiles, "SMILES text to molecule graphs."),
    "sdf": Format(sdf, "SDF records to SMILES and molecule graphs."),
    "fingerprint": Format(
        fingerprint,
        "Fingerprints of molecules to molecule graphs.",
        input_of=molecule_to_fingerprint,
    ),
    "spectra": Format(spectra, "Tandem mass spectra to molecule graphs."),
    "conllu": Format(conllu, "CoNLL-U sentences to dependency trees."),
    "cogs": Format(cogs, "COGS sentences to semantic graphs.", write=cogs_to_logical_form),
    "slog": Format(
        slog,
        "SLOG sentences, forms without variables, to semantic graphs.",
        write=slog_to_logical_form,
    ),
    "python": Format(python, "Python source to syntax trees.", "sources", ".py"),
    "pairs": Format(pairs, "Columns of a table to pairs of texts or symbol sequences."),
    "graphml": Format(graphml, "Pairs of GraphML files to pairs of graphs.", "pairs", ".graphml"),
    "gexf": Format(gexf, "Pairs of GEXF files to pairs of graphs.", "pairs", ".gexf"),
}
"""The formats of this package."""

BACK = "back"
"""What stands in the place of a format where graphs are written back."""

GROUP = "grapheme_torch.formats"
"""The group of entry points by which an installed package adds formats of its own."""


def formats() -> dict[str, Format]:
    """The formats of this package, and those that installed packages add as entry points.

    An entry point of the group "grapheme_torch.formats" names a `Format`. One that cannot be
    loaded, or whose name is taken, is left aside with a `Notice`.
    """
    found = dict(FORMATS)
    for entry in entry_points(group=GROUP):
        try:
            free = entry.name not in found and entry.name != BACK
            require(free, "its name", "not be taken", entry.name, "Rename it.")
            found[entry.name] = _loaded(entry)
        except InputError as error:
            notice(f"format {entry.name!r} ({entry.value}) is left aside: {error}")
    return found


def format_of(format: Any) -> tuple[str, Format]:
    """A format and its name, from the name or the format itself.

    Raises:
        InputError: If there is no format of that name.
    """
    if isinstance(format, Format):
        return format.read.__name__, format
    known = FORMATS if format in FORMATS else formats()
    remedy = f"Choose one of {', '.join(known)}, or give a `Format` of your own."
    require(format in known, "the format", "be known", format, remedy)
    return format, known[format]


def written_by(format: Any) -> Callable[..., str]:
    """What gives the text of a graph back in a format.

    Raises:
        InputError: If there is no such format, or it has no way back.
    """
    name, found = format_of(format)
    able = ", ".join(key for key, one in formats().items() if one.write is not None)
    if found.write is None:
        raise refusal("the format", "have a way back", name, f"Choose one of {able}.")
    return found.write


def input_of(format: Any) -> Callable[[Data], Data]:
    """What gives the input of a target in a format: its `input_of`.

    Raises:
        InputError: If there is no such format, or its targets do not tell their inputs.
    """
    name, found = format_of(format)
    able = ", ".join(key for key, one in formats().items() if one.input_of is not None)
    if found.input_of is None:
        remedy = f"Choose one of {able}, or give a `Format` of your own with `input_of`."
        raise refusal("the format", "have targets that tell their inputs", name, remedy)
    return found.input_of


def _loaded(entry: EntryPoint) -> Format:
    try:
        format = entry.load()
    except Exception as error:  # a package of someone else: anything can be wrong with it
        got = Received(f"{type(error).__name__}: {error}")
        raise refusal("it", "be importable", got, "Repair or remove its package.") from error
    require(isinstance(format, Format), "it", "be a `Format`", format, "Name a `Format`.")
    return format
