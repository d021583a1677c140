"""Random graphs and records, and what it means for two graphs to be equal."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from torch_geometric.data import Data

from grapheme_torch.graphs import edge_triples, node_labels

# The first text that hypothesis draws on a machine waits for its table of all characters.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def form(graph: Data) -> tuple[list[str], list[tuple[int, int, str]], list[float] | None]:
    """Labels, edges and positions, which two equal graphs share."""
    position = graph.get("position")
    return node_labels(graph), edge_triples(graph), None if position is None else position.tolist()


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A node-link document of a random DAG: an edge goes from an earlier node to a later one."""
    ids = draw(st.lists(st.integers() | st.text(max_size=3), max_size=6, unique=True))
    nodes: list[dict[str, Any]] = [{"id": name, "label": draw(st.text(max_size=3))} for name in ids]
    if draw(st.booleans()):
        for node in nodes:
            node["position"] = draw(st.floats(-100, 100, width=32))
    couples = [(u, v) for k, u in enumerate(ids) for v in ids[k + 1 :]]
    chosen = draw(st.lists(st.sampled_from(couples), unique=True)) if couples else []
    relation = st.sampled_from(["next", "child", "é", ""])
    edges = [{"source": u, "target": v, "label": draw(relation)} for u, v in chosen]
    return {"nodes": nodes, "edges": edges}


SIDES = st.text(max_size=8) | documents()

RECORDS = st.lists(
    st.fixed_dictionaries(
        {"input": SIDES, "target": SIDES},
        optional={
            "id": st.integers() | st.text(),
            "score": st.floats(allow_nan=False, allow_infinity=False),
        },
    ),
    min_size=1,
    max_size=4,
)
