"""Notebooks as pages of the site: run when it is made, cells and outputs shown in their order."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from run_notebook import executed
from sphinx.application import Sphinx

_FENCE = "`" * 12
"""Longer than any within an output."""


class NotebookParser(MystParser):
    """Reads a notebook as the page of Markdown that it would be."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Runs the notebook; the text of the file is not needed."""
        del inputstring
        source = Path(document["source"])
        super().parse("\n".join(_lines(executed(source))), document)


def _lines(notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield f"{cell.source}\n"
            continue
        yield from _fenced("python", cell.source)
        for together in _joined(cell.outputs):
            yield from _output(together)


def _joined(outputs: list[Any]) -> Iterator[Any]:
    """The outputs; what was printed line by line is one."""
    for printed, some in groupby(outputs, lambda one: one.output_type == "stream"):
        if not printed:
            yield from some
            continue
        first, *others = some
        yield {**first, "text": "".join(one.text for one in (first, *others))}


def _output(output: Any) -> Iterator[str]:
    """An output in the richest form that there is."""
    if output["output_type"] == "stream":
        yield from _fenced("text", output["text"])
        return
    data = output.get("data", {})
    if "text/html" in data:
        yield from _fenced("{raw} html", data["text/html"])
    elif "text/plain" in data:
        yield from _fenced("text", data["text/plain"])


def _fenced(kind: str, text: str) -> Iterator[str]:
    yield f"{_FENCE}{kind}\n{text.rstrip()}\n{_FENCE}\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_source_suffix(".ipynb", "notebook")
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
