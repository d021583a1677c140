"""An abstract syntax tree read back from its graph."""

import ast
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch_geometric.data import Data

from .._check import InputError, Received, refusal, require
from ._document import Triple, read_graph
from ._python import NEXT, NOTHING

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
    nodes = [_node(label) for label in labels]
    fields = [edge for edge in edges if edge[2] != NEXT]
    following = {source: target for source, target, label in edges if label == NEXT}
    root = _root(len(nodes), fields)
    children: list[list[tuple[int, str]]] = [[] for _ in nodes]
    for source, target, name in fields:
        children[source].append((target, name))
    for node, own in zip(nodes, children, strict=True):
        if node is not None:
            _fill(node, own, nodes, following)
    _set_contexts(nodes)
    tree = nodes[root]
    if tree is None:
        raise refusal("the root", "be a class of `ast`", NOTHING, "Leave the graph out.")
    return ast.fix_missing_locations(tree)


def _node(label: str) -> ast.AST | None:
    if label == NOTHING:
        return None
    try:
        call = ast.parse(label, mode="eval").body
        name = call.func if isinstance(call, ast.Call) else call
        kind = _kind(name.id if isinstance(name, ast.Name) else "")
        held = call.keywords if isinstance(call, ast.Call) else []
        values = {word.arg: ast.literal_eval(word.value) for word in held if word.arg}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unknown(label) from None
    if kind is None or not values.keys() <= set(kind._fields):
        raise _unknown(label)
    node = kind()
    for field in kind._fields:
        setattr(node, field, values.get(field, [] if field in _lists(kind) else None))
    return node


def _unknown(label: str) -> InputError:
    remedy = "Write it as `ast.dump` does: Name(id='x')."
    return refusal("the label of a node", "be a class of `ast`", label, remedy)


def _kind(name: str) -> type[ast.AST] | None:
    kind = getattr(ast, name, None)
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
    node: ast.AST,
    own: Sequence[tuple[int, str]],
    nodes: Sequence[ast.AST | None],
    following: Mapping[int, int],
) -> None:
    for name in dict.fromkeys(name for _, name in own):
        children = [target for target, label in own if label == name]
        known = name in node._fields and (len(children) == 1 or name in _lists(type(node)))
        found = Received(f"{len(children)} under {name!r} of {type(node).__name__}")
        remedy = "Label edges by the fields of the class."
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


def _set_contexts(nodes: Sequence[ast.AST | None]) -> None:
    for node in nodes:
        if node is not None and "ctx" in node._fields:
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
