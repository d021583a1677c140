"""An abstract syntax tree read back from its graph."""

import ast
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch_geometric.data import Data

from .._check import Received, refusal, require
from ..graphs import NEXT
from ._document import Triple, read_graph
from ._tokens import UNREADABLE, constant
from ._tree import CONSTANTS, NOTHING, leaf_fields

_STORED = {
    "Assign": "targets",
    "AugAssign": "target",
    "AnnAssign": "target",
    "For": "target",
    "AsyncFor": "target",
    "NamedExpr": "target",
    "comprehension": "target",
    "withitem": "optional_vars",
    "TypeAlias": "name",
    "Delete": "targets",
}
"""The field of each class whose expressions are not loaded but stored to, or deleted."""


def graph_to_python(graph: Data | Mapping[str, Any]) -> ast.AST:
    """The syntax tree of a graph, for `ast.unparse` or `compile`; the inverse of `python`.

    Args:
        graph: A graph, or its node-link document, in any order of nodes and edges.

    Raises:
        InputError: If a label is no class of `ast`, a field is not one of its class, or the
            edges form no tree.
    """
    labels, edges = read_graph(graph)
    fields = [edge for edge in edges if edge[2] != NEXT]
    holders = _holders(labels, fields)
    nodes = [
        _leaf(holders[k], label) if k in holders else _node(label) for k, label in enumerate(labels)
    ]
    following = {source: target for source, target, label in edges if label == NEXT}
    root = _root(len(nodes), fields)
    children: list[list[tuple[int, str]]] = [[] for _ in nodes]
    for source, target, name in fields:
        children[source].append((target, name))
    for node, own in zip(nodes, children, strict=True):
        _fill(node, own, nodes, following)
    _set_contexts([node for node in nodes if isinstance(node, ast.AST)])
    tree = nodes[root]
    if not isinstance(tree, ast.AST):
        raise refusal("the root", "be a class of `ast`", NOTHING, "Leave the graph out.")
    return ast.fix_missing_locations(tree)


def _holders(labels: Sequence[str], fields: Iterable[Triple]) -> dict[int, type[ast.AST]]:
    """The class of the node above each leaf: an identifier or constant that is a node itself."""
    kinds = [_kind(label) for label in labels]
    above = ((target, kinds[source], name) for source, target, name in fields)
    return {k: kind for k, kind, name in above if kind and name in leaf_fields(kind)}


def _node(label: str) -> ast.AST | None:
    if label == NOTHING:
        return None
    kind, held = _kind(label), {}
    try:
        call = ast.parse(label, mode="eval").body
        words = call.keywords if isinstance(call, ast.Call) else []
        held = {word.arg: ast.literal_eval(word.value) for word in words if word.arg}
    except UNREADABLE:
        kind = None
    if kind is None or not held.keys() <= set(kind._fields):
        remedy = "Write it as `ast.dump` does: Name(id='x')."
        raise refusal("the label of a node", "be a class of `ast`", label, remedy)
    node = kind()
    for field in kind._fields:
        setattr(node, field, held.get(field, [] if field in _lists(kind) else None))
    return node


def _leaf(kind: type[ast.AST], label: str) -> Any:
    """The identifier or constant that a node below one of this class is."""
    if not issubclass(kind, CONSTANTS):
        named = label == "*" or all(part.isidentifier() for part in label.split("."))
        remedy = "Name it as Python would."
        require(named, "the label of a leaf", "be an identifier", label, remedy)
        return label
    try:
        return constant(label)
    except UNREADABLE:
        remedy = "Write it as Python does."
        raise refusal("the label of a leaf", "be a constant", label, remedy) from None


def _kind(label: str) -> type[ast.AST] | None:
    """The class of `ast` that a label begins with, if it does."""
    kind = getattr(ast, label.partition("(")[0], None)
    return kind if isinstance(kind, type) and issubclass(kind, ast.AST) else None


def _lists(kind: type[ast.AST]) -> frozenset[str]:
    """The list fields of a class."""
    return _starred(kind.__doc__ or "")


@functools.cache
def _starred(grammar: str) -> frozenset[str]:
    """The fields that the grammar of a class, which is its docstring, marks by a star."""
    return frozenset(re.findall(r"\w+\* (\w+)", grammar))


def _root(count: int, fields: Iterable[Triple]) -> int:
    parents = [target for _, target, _ in fields]
    roots = set(range(count)) - set(parents)
    one = len(roots) == 1 and len(parents) == count - 1
    found = Received(f"{count} nodes, {len(parents)} edges and {len(roots)} roots")
    remedy = "Give each node but one a parent."
    require(one, "the graph", "be a tree", found, remedy)
    return roots.pop()


def _fill(
    node: Any,
    own: Sequence[tuple[int, str]],
    nodes: Sequence[Any],
    following: Mapping[int, int],
) -> None:
    """Sets the fields of a node that nodes below it stand for; a leaf has none."""
    remedy = "Label edges by the fields of the class."
    for name in dict.fromkeys(name for _, name in own):
        children = [target for target, label in own if label == name]
        known = name in getattr(node, "_fields", ()) and (
            len(children) == 1 or name in _lists(type(node))
        )
        found = Received(f"{len(children)} under {name!r} of {type(node).__name__}")
        require(known, "the children of a node", "be its fields", found, remedy)
        ordered = [nodes[k] for k in _ordered(children, following)]
        setattr(node, name, ordered if name in _lists(type(node)) else ordered[0])


def _ordered(children: list[int], following: Mapping[int, int]) -> list[int]:
    after = {k: following[k] for k in children if following.get(k) in children}
    first = set(children) - set(after.values())
    found = Received(f"{len(after)} edges between {len(children)}")
    remedy = 'Join each to the following one by "next".'
    one = len(first) == 1 and len(after) == len(children) - 1
    require(one, "the elements of a list", "be in one order", found, remedy)
    order = [first.pop()]
    while order[-1] in after:
        order.append(after[order[-1]])
    return order


def _set_contexts(nodes: Sequence[ast.AST]) -> None:
    for node in nodes:
        if "ctx" in node._fields:
            vars(node)["ctx"] = ast.Load()
    for node in nodes:
        field = _STORED.get(type(node).__name__)
        if field is not None:
            context = ast.Del if isinstance(node, ast.Delete) else ast.Store
            _set_context(getattr(node, field), context)


def _set_context(place: Any, context: type[ast.expr_context]) -> None:
    waiting = list(place) if isinstance(place, list) else [place]
    while waiting:
        node = waiting.pop()
        if "ctx" not in getattr(node, "_fields", ()):
            continue
        node.ctx = context()
        if isinstance(node, ast.Tuple | ast.List):
            waiting += node.elts
        elif isinstance(node, ast.Starred):
            waiting.append(node.value)
