"""Graphs and predictions as a notebook shows them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from torch_geometric.data import Batch, Data

from ..decoding import Decoded, decode_parts
from ..graphs import edge_triples, is_directed, node_labels
from ..layout import Note, Scene, panel, shortened
from ..prediction import Prediction
from ._explanation_text import edge_text, isolated, quoted
from ._html_table import table
from ._picture_html import picture

MOST_NODES = 100
"""Of a graph that is drawn; of a larger one the commonest labels are told."""

_MOST_EDGES = 300

_MOST_GRAPHS = 4
"""Of a batch that are drawn."""

_MOST_CANDIDATES = 20_000
"""Candidate edges of a predicted graph that is decoded for its picture."""

_MOST_LABELS = 8

_DOUBTFUL = 0.05
"""Probability from which on a node is shown that is left out."""

_MOST_DOUBTFUL = 12


def show_graph(graph: Data, prefix: str) -> Iterator[str]:
    """A graph with labels."""
    yield _size(graph)
    yield from _drawn(graph, "graph", prefix)


def show_batch(batch: Batch, prefix: str) -> Iterator[str]:
    """The first graphs of a batch of such."""
    count = batch.num_graphs
    yield f"{_number(count, 'graph')}, {_number(int(batch.num_nodes or 0), 'node')}"
    shown = range(min(count, _MOST_GRAPHS))
    yield from _row([_drawn(batch[k], f"graph {k}", f"{prefix}{k}-") for k in shown])
    yield from _more(count)


def show_prediction(prediction: Prediction, prefix: str) -> Iterator[str]:
    """The graphs that are most probable, with the probabilities of their parts."""
    classes, relations = prediction.label.shape[1], max(prediction.relation.shape[1] - 1, 0)
    parts = [
        _number(prediction.num_graphs, "graph"),
        _number(len(prediction.existence), "output node"),
        _number(classes, "class", "classes"),
        _number(len(prediction.relation), "candidate edge"),
        _number(relations, "relation"),
    ]
    yield ", ".join(parts) + ("" if prediction.directed else "; undirected")
    soft = prediction.detach().to("cpu")
    # Without a class a node has no name, and there is no graph.
    shown = range(min(prediction.num_graphs, _MOST_GRAPHS) if classes else 0)
    drawn = [_decoded(soft.select(k), f"graph {k}", f"{prefix}{k}-") for k in shown]
    if drawn:
        yield (
            '<p class="soft">Drawn is what exists with probability over one half. Nodes are named '
            "by their classes, relations by their numbers.</p>"
        )
    yield from _row(drawn)
    yield from _more(prediction.num_graphs if classes else 0)


def _size(graph: Data) -> str:
    nodes, edges = len(node_labels(graph)), len(edge_triples(graph))
    direction = "" if is_directed(graph) or not edges else ", undirected"
    return f"{_number(nodes, 'node')}, {_number(edges, 'edge')}{direction}"


def _drawn(graph: Data, name: str, prefix: str) -> Iterator[str]:
    """The picture of a graph, or what a large one holds."""
    labels, edges = node_labels(graph), edge_triples(graph)
    if not labels:
        yield f'<p class="soft">{name}: empty</p>'
        return
    if not _is_small(graph):
        yield from _summary(graph, name)
        return
    nodes = tuple(Note(told=f"node {k}: {quoted(label)}") for k, label in enumerate(labels))
    lines = tuple(Note(told=edge_text(*edge)) for edge in edges)
    scene = Scene((panel(name, graph),), (), (nodes,), (lines,))
    yield from picture(scene, f"{name}: {_size(graph)}", prefix=prefix, form="notebook")


def _is_small(graph: Data) -> bool:
    return len(node_labels(graph)) <= MOST_NODES and len(edge_triples(graph)) <= _MOST_EDGES


def _summary(graph: Data, name: str) -> Iterator[str]:
    """The commonest labels and relations."""
    yield f'<p class="soft">{name}: {_size(graph)}, too large to be drawn here.</p>'
    kinds = (
        ("label", Counter(node_labels(graph))),
        ("relation", Counter(relation for _, _, relation in edge_triples(graph))),
    )
    for kind, count in kinds:
        rows = [[_short(one), str(times)] for one, times in count.most_common(_MOST_LABELS)]
        if len(count) > _MOST_LABELS:
            rest = sum(count.values()) - sum(n for _, n in count.most_common(_MOST_LABELS))
            rows.append([f"{len(count) - _MOST_LABELS} others", str(rest)])
        if rows:
            yield from table(f"Commonest {kind}s", [kind, "times"], rows, numbers=["times"])


def _decoded(soft: Prediction, name: str, prefix: str) -> Iterator[str]:
    """The most probable graph of a prediction of one graph."""
    nodes, edges = len(soft.existence), len(soft.relation)
    if nodes > 4 * MOST_NODES or edges > _MOST_CANDIDATES:
        sizes = f"{_number(nodes, 'output node')} and {_number(edges, 'candidate edge')}"
        yield f'<p class="soft">{name}: {sizes}, too large to be drawn here.</p>'
        return
    names = [str(k) for k in range(max(soft.label.shape[1], soft.relation.shape[1]))]
    (found,) = decode_parts(soft, names, names[1:])
    if not _is_small(found.graph):
        yield from _summary(found.graph, name)
        return
    exists = soft.existence.double().sigmoid().tolist()
    label = soft.label.double().softmax(1)
    best = label.argmax(1).tolist()
    told = [
        f"output node {k}: class {best[k]}\nexists: {_share(exists[k])}; "
        f"class: {_share(float(label[k, best[k]]))}"
        for k in range(nodes)
    ]
    doubtful = _doubtful(exists, found)
    notes = [Note(told=told[k]) for k in found.nodes]
    notes += [Note("unused", told=told[k]) for k in doubtful]
    relation = soft.relation.double().softmax(1)[:, 1:]
    lines = tuple(
        Note(told=edge_text(*edge, probability=float(relation[k].max())))
        for edge, k in zip(edge_triples(found.graph), found.edges, strict=True)
    )
    drawn = panel(name, found.graph, left_out=[str(best[k]) for k in doubtful])
    scene = Scene((drawn,), (), (tuple(notes),), (lines,))
    yield from picture(scene, f"{name}: {_size(found.graph)}", prefix=prefix, form="notebook")


def _doubtful(exists: Sequence[float], found: Decoded) -> list[int]:
    """Output nodes that are left out, though they may be there."""
    kept = set(found.nodes)
    others = [k for k, share in enumerate(exists) if k not in kept and share >= _DOUBTFUL]
    return sorted(sorted(others, key=lambda k: -exists[k])[:_MOST_DOUBTFUL])


def _row(pictures: Sequence[Iterator[str]]) -> Iterator[str]:
    yield '<div class="row">'
    for one in pictures:
        yield "<div>" + "\n".join(one) + "</div>"
    yield "</div>"


def _more(count: int) -> Iterator[str]:
    if count > _MOST_GRAPHS:
        yield f'<p class="soft">and {count - _MOST_GRAPHS} more</p>'


def _short(label: str) -> str:
    return isolated(shortened(label, 40))


def _share(probability: float) -> str:
    return f"{probability:.1%}"


def _number(count: int, word: str, several: str | None = None) -> str:
    return f"{count:,} {word if count == 1 else several or word + 's'}"
