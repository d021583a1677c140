"""A graph that is named on the command line: a text, or a node-link file."""

from typing import Any

from .._check import InputError, Received, refusal
from .._reading import read_bytes

MAX_COMPARED = 2000
"""Default bound on the nodes of graphs that are compared: two such texts took 1.8 GB, a minute."""


def graph_of(argument: str, name: str, max_nodes: int) -> Any:
    """The graph of a text, or of a node-link file."""
    from ..data import check_size, parse_document
    from ..graphs import graph_from_node_link, text_to_graph

    if not argument.endswith(".json"):
        check_size(name, argument, max_nodes)
        return text_to_graph(argument)
    remedy = "Write a node-link object, or end a text in something else than .json."
    try:
        document: Any = parse_document(read_bytes(argument))
        check_size(name, document, max_nodes)
        return graph_from_node_link(document)
    except InputError as error:
        raise InputError(f"{argument}: {error}") from None
    except OSError as error:
        cause = Received(error.strerror or str(error))
        raise refusal(argument, "be a readable file", cause, remedy) from None
    except (ValueError, RecursionError) as error:
        raise refusal(argument, "be JSON", Received(str(error)), remedy) from None
