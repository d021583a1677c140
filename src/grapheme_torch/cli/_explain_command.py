"""The command `grapheme explain`: why a network answers what it does, as a page or a picture."""

import json
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from .._check import require
from .._files import check_free
from ._graph_argument import graph_of
from ._predict_command import constraint, json_option, shape_option

MAX_NODES = 500
"""Default bound on the nodes of a graph: a browser is slow with larger pages."""


def add_arguments(parser: ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.usage = "%(prog)s [options] model input --out page.html"
    parser.add_argument("model", type=str, help="folder that `grapheme train` wrote")
    sides = "a text, or the path of a node-link file ending in .json"
    parser.add_argument("input", type=str, help=sides)
    parser.add_argument("--target", type=str, help=f"what it should answer: {sides}")
    out = "file to write: a page (.html) or its picture (.svg, .png, .pdf)"
    parser.add_argument("--out", type=str, help=out)
    overwrite = "whether an existing --out may be replaced"
    parser.add_argument("--overwrite", action="store_true", help=overwrite)
    shape_option(parser)
    most = "most nodes of a graph; time and memory grow with the product of the two"
    parser.add_argument("--max_nodes", type=int, default=MAX_NODES, help=most)
    json_option(parser)


def run(options: Namespace) -> int:
    """Explains an answer and returns the exit status."""
    from ..nn import check_width
    from ..train import explain, load_network, saved_loss

    most = options.max_nodes
    require(most >= 1, "`max_nodes`", "be at least 1", most, f"Try {MAX_NODES}.")
    if options.out is not None:
        known = Path(options.out).suffix not in ("", ".")
        remedy = "Name a file that ends in .html, .svg or .png."
        require(known, f"{options.out}: the suffix", "name a format", options.out, remedy)
        check_free(options.out, overwrite=options.overwrite, inputs=[options.input, options.target])
    graph = graph_of(options.input, "`input`", most)
    target = None if options.target is None else graph_of(options.target, "`target`", most)
    network, loss = load_network(options.model), saved_loss(options.model)
    check_width(graph, network.num_features, f"{options.input}: the graph")
    explanation = explain(network, graph, target, loss=loss, **constraint(options))
    if options.out is not None:
        explanation.save(options.out)
    print(_document(explanation) if options.json else explanation)
    if options.out is not None and not options.json:
        print(f"{options.out}: {explanation.headline()}")
    return 0


def _document(explanation: Any) -> str:
    return json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
