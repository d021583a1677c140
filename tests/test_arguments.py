"""Whatever is given to a public function: the right value, or an `InputError`; see `law`."""

import random
from typing import Any

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

import grapheme_torch as gt
from grapheme_torch import Dense, EdgeCost, Hints, Prices, Sinkhorn, Window, ot
from grapheme_torch.metrics import AlignmentAccuracy, GraphMetrics

from .law import Arguments, Subject, tried
from .problems import join, random_pairs
from .unchecked import unchecked

DRAWS = 100

# Of a graph that does not say how many nodes it has; PyTorch Geometric then guesses.
pytestmark = pytest.mark.filterwarnings("ignore:Unable to accurately infer 'num_nodes'")

LABELS, RELATIONS = ["a", "b", "c", "d"], ["r", "s", "t"]


def _graph(rng: random.Random) -> Arguments:
    """The fields of a small graph with labels."""
    n = rng.randint(0, 4)
    ends = [(u, v) for u in range(n) for v in range(n) if u != v and rng.random() < 0.3]
    graph = gt.make_graph(
        [rng.choice(LABELS) for _ in range(n)],
        [(u, v, rng.choice(RELATIONS)) for u, v in ends],
        [float(k) for k in range(n)] if rng.random() < 0.5 else None,
    )
    return {name: graph[name] for name in graph.keys()} | {"num_nodes": n}  # noqa: SIM118


def _data(fields: Arguments) -> Data:
    made = Data()
    for name, value in fields.items():
        made[name] = value
    return made


def _sound(graph: Any) -> None:
    """What every graph that we hand out keeps."""
    n = graph.num_nodes
    assert len(graph.label) == n
    assert len(graph.edge_label) == graph.edge_index.shape[1]
    assert graph.edge_index.dtype == torch.int64
    assert not graph.edge_index.numel() or int(graph.edge_index.min()) >= 0
    assert not graph.edge_index.numel() or int(graph.edge_index.max()) < n


def _all_sound(_: Arguments, graphs: Any) -> None:
    for graph in graphs:
        _sound(graph)


def _fields(rng: random.Random) -> Arguments:
    sizes = [(rng.randint(0, 4), 2) for _ in range(rng.randint(1, 3))]
    soft = join(random_pairs(rng.randrange(100), sizes)[0])
    given: Arguments = {"existence": soft.existence, "label": soft.label}
    given |= {"edge_index": soft.edge_index}
    given |= {"relation": soft.relation, "batch": soft.batch, "num_graphs": soft.num_graphs}
    given |= {"position": soft.position, "weight": torch.rand(len(soft.relation)), "directed": True}
    return given


def _whole(_: Arguments, soft: Any) -> None:
    n, e = len(soft.existence), len(soft.relation)
    assert len(soft.label) == len(soft.batch) == n
    assert soft.edge_index.shape == (2, e)
    assert soft.edge_index.dtype == soft.batch.dtype == torch.int64
    assert all(x.is_floating_point() for x in (soft.existence, soft.label, soft.relation))


def _slots(rng: random.Random) -> Arguments:
    size, slots = rng.randint(0, 2), rng.randint(0, 3)
    given: Arguments = {
        "label": torch.randn(size, slots, 3),
        "relation": torch.randn(size, slots, slots, 2),
        "mask": torch.rand(size, slots) < 0.7,
        "directed": rng.random() < 0.5,
    }
    if rng.random() < 0.5:
        given["existence"] = torch.randn(size, slots)
    else:
        given["no_node"] = rng.choice(["first", "last"])
    return given


def _classes(rng: random.Random) -> Arguments:
    n = rng.randint(0, 4)
    ends = [(u, v) for u in range(n) for v in range(n) if rng.random() < 0.3]
    return {
        "y": torch.tensor([rng.randrange(3) for _ in range(n)], dtype=torch.long),
        "edge_index": torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T.contiguous(),
        "edge_type": torch.tensor([rng.randint(1, 2) for _ in ends], dtype=torch.long),
        "num_nodes": n,
        "num_labels": 3,
        "num_relations": 2,
    }


def _certain(given: Arguments) -> Any:
    numbers = {name: given[name] for name in ("num_labels", "num_relations")}
    fields = {name: value for name, value in given.items() if name not in numbers}
    return unchecked(gt.Prediction.certain)(_data(fields), **numbers)


def _decoded(given: Arguments) -> Any:
    soft = {name: given[name] for name in given if name not in _CHOICES}
    chosen = {name: given[name] for name in _CHOICES}
    return unchecked(gt.decode)(unchecked(gt.Prediction)(**soft), **chosen)


_CHOICES = ("labels", "relations", "constraint")


def _to_decode(rng: random.Random) -> Arguments:
    choices = [None, "path", "tree", "acyclic"]
    fields = _fields(rng)
    return fields | {"labels": LABELS, "relations": RELATIONS, "constraint": rng.choice(choices)}


def _two(rng: random.Random) -> Arguments:
    first, second = _graph(rng), _graph(rng)
    return (
        {f"first_{name}": value for name, value in first.items()}
        | {f"second_{name}": value for name, value in second.items()}
        | {"node_cost": 1.0, "edge_cost": 0.5}
    )


def _sides(given: Arguments) -> list[Data]:
    return [
        _data({name[len(side) :]: x for name, x in given.items() if name.startswith(side)})
        for side in ("first_", "second_")
    ]


def _reported(given: Arguments) -> Any:
    first, second = _sides(given)
    prices = {name: given[name] for name in ("node_cost", "edge_cost")}
    return unchecked(gt.edit_report)(first, second, **prices)


def _measured(given: Arguments) -> Any:
    first, second = _sides(given)
    prices = {name: given[name] for name in ("node_cost", "edge_cost")}
    metrics = unchecked(GraphMetrics)(**prices)
    metrics.update([first], [second])
    return metrics.compute()


def _a_report(_: Arguments, report: Any) -> None:
    assert 0 <= report.cost < float("inf")
    assert (report.cost == 0) >= report.is_exact


def _shares(_: Arguments, found: Any) -> None:
    assert 0 <= found["exact_match"] <= 1
    assert found["edit_cost"] >= 0


def _transport(rng: random.Random) -> Arguments:
    size, n, m = rng.randint(1, 2), rng.randint(1, 4), rng.randint(1, 4)
    cost = torch.rand(size, n, m, generator=torch.Generator().manual_seed(rng.randrange(99)))
    return {
        "cost": cost.double(),
        "a": torch.full((size, n), 1 / n).double(),
        "b": torch.full((size, m), 1 / m).double(),
        "temperature": rng.choice([0.1, torch.full((size,), 0.3)]),
        "tolerance": 1e-10,
        "max_iterations": 500,
    }


def _a_plan(given: Arguments, found: Any) -> None:
    plan, known = found.plan, found.residual.isfinite()
    cost, a, b = (given[name] for name in ("cost", "a", "b"))
    assert plan.is_floating_point()
    assert plan.shape == cost.shape
    assert (plan[known] >= 0).all()
    assert plan[~known].isnan().flatten(1).any(1).all()
    assert not plan[(cost == float("inf")) & known[:, None, None]].any()
    masses = (x for x in (cost, a, b) if x.is_floating_point())
    share = 4 * max([1e-6, *(torch.finfo(x.dtype).eps for x in masses)])
    for axis, mass in ((2, a), (1, b)):
        off = (plan.double().sum(axis) - mass.double()).abs().sum(1)
        allowed = (found.residual + share) * mass.double().sum(1)
        assert (off[known] <= 1e-9 + allowed[known]).all()


def _a_cost(_: Arguments, value: Tensor) -> None:
    assert value.is_floating_point()


def _least(given: Arguments) -> Any:
    plan = unchecked(ot.exact_plan)(*(given[name] for name in ("cost", "a", "b")))
    return ot.Transport.given(plan, given["a"].double(), given["b"].double())


def _exact(rng: random.Random) -> Arguments:
    return {name: value for name, value in _transport(rng).items() if name in ("cost", "a", "b")}


_LOSS: Arguments = {
    "alpha": 1.0, "beta": 0.5, "gamma": 2.0, "criterion": "edit", "reduction": "sum",
    "node_cost": "labels", "edge_cost": EdgeCost(), "directed": None, "prices": Prices(),
    "alignment": Sinkhorn(), "hints": Hints(), "matches": Dense(), "terms": {},
}  # fmt: skip
_OPTIONS: dict[str, tuple[type, Arguments]] = {
    "alignment": (Sinkhorn, {
        "temperature": 0.1, "slack": 0.0, "rounds": 1, "max_iterations": 100, "tolerance": 1e-12,
        "gradient": "exact", "update": "linear",
    }),
    "hints": (Hints, {"position": 0.5, "neighbours": 0.0, "noise": 0.0, "restarts": 1}),
    "prices": (Prices, {
        "node_insertion": 1.0, "node_deletion": 1.0, "edge_insertion": 1.0, "edge_deletion": 1.0,
    }),
    "matches": (Window, {"steps": 8.0}),
}  # fmt: skip


def _settings(_: random.Random) -> Arguments:
    return dict(_LOSS)


def _sized(rng: random.Random) -> Arguments:
    given = _classes(rng)
    return {name: given[name] for name in ("edge_index", "num_nodes")} | {"size": rng.randint(1, 3)}


def _a_text(rng: random.Random) -> Arguments:
    return {"text": "ab"[: rng.randint(0, 2)]}


def _group(name: str, kind: type, values: Arguments) -> Subject:
    """A group of options, in a loss."""

    def call(given: Arguments) -> Any:
        return gt.StructuralLoss(**{name: unchecked(kind)(**given)}, reduction="sum")

    return Subject(kind.__name__, lambda _: dict(values), call, _a_loss)


def _a_loss(_: Arguments, loss: Any) -> None:
    predictions, targets = random_pairs(3, [(3, 3)])
    target = Batch.from_data_list(targets)
    try:
        total = loss(join(predictions), target).total
    except gt.InputError:
        return  # another kind of node cost, or undirected
    assert total.isfinite().all()


def _encoded(given: Arguments) -> Any:
    fields = {name: value for name, value in given.items() if name != "size"}
    return unchecked(gt.laplacian_encoding)(_data(fields), given["size"])


def _coordinates(given: Arguments, found: Tensor) -> None:
    assert found.shape[1] == given["size"]
    assert found.isfinite().all()


def _text_and_back(given: Arguments) -> Any:
    return gt.graph_to_text(unchecked(gt.text_to_graph)(given["text"]))


def _the_same(given: Arguments, text: Any) -> None:
    assert text == given["text"]


def _an_alignment(rng: random.Random) -> Arguments:
    n, m = rng.randint(0, 3), rng.randint(0, 3)
    places = [rng.choice([None, 0, 1, [0, 1]]) for _ in range(m)]
    return {"plan": torch.rand(n + 1, m + 1), "places": places, "num_nodes": m, "slots": 1}


def _aligned(given: Arguments) -> Any:
    target = gt.make_graph(["a"] * 3)
    target.num_nodes = given["num_nodes"]
    if isinstance(given["num_nodes"], int) and given["num_nodes"] in range(3):
        target = gt.make_graph(["a"] * given["num_nodes"])
    accuracy = AlignmentAccuracy(slots=given["slots"])
    unchecked(accuracy.update)([given["plan"]], [given["places"]], [target])
    return float(accuracy.sums[0]), float(accuracy.sums[1])


def _a_share(_: Arguments, found: Any) -> None:
    assert 0 <= found[0] <= found[1]


def _matrix_of(name: str, function: Any, build: Any = _graph, check: Any = None) -> Subject:
    def call(given: Arguments) -> Any:
        return unchecked(function)(_data(given))

    return Subject(name, build, call, check or (lambda *_: None))


def _numbered(given: Arguments, graph: Any) -> None:
    e = graph.edge_index.shape[1]
    assert graph.y.shape == (len(given["label"]),)
    assert graph.edge_type.shape == (e,)
    assert not e or int(graph.edge_type.min()) >= 1


_ALPHABET = gt.Alphabet(tuple(LABELS), tuple(RELATIONS))

SUBJECTS = [
    Subject("Prediction", _fields, lambda g: unchecked(gt.Prediction)(**g), _whole),
    Subject(
        "Prediction.from_dense",
        _slots,
        lambda g: unchecked(gt.Prediction.from_dense)(**g),
        _whole,
    ),
    Subject("Prediction.certain", _classes, _certain, _whole),
    Subject("decode", _to_decode, _decoded, _all_sound),
    Subject("edit_report", _two, _reported, _a_report),
    Subject("GraphMetrics", _two, _measured, _shares),
    Subject("AlignmentAccuracy", _an_alignment, _aligned, _a_share),
    Subject("transport_plan", _transport, lambda g: unchecked(ot.transport_plan)(**g), _a_plan),
    Subject("transport_cost", _transport, lambda g: unchecked(ot.transport_cost)(**g), _a_cost),
    Subject("exact_plan", _exact, _least, _a_plan),
    Subject("StructuralLoss", _settings, lambda g: unchecked(gt.StructuralLoss)(**g), _a_loss),
    *(_group(name, kind, values) for name, (kind, values) in _OPTIONS.items()),
    Subject("laplacian_encoding", _sized, _encoded, _coordinates),
    Subject("text_to_graph", _a_text, _text_and_back, _the_same),
    _matrix_of("graph_to_node_link", gt.graph_to_node_link),
    _matrix_of("graph_to_networkx", gt.graph_to_networkx),
    _matrix_of("graph_to_text", gt.graph_to_text),
    _matrix_of("Alphabet.encode", _ALPHABET.encode, check=_numbered),
]  # fmt: skip


@pytest.mark.untyped
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_the_right_value_or_a_refusal(subject: Subject) -> None:
    found = [tried(subject, seed) for seed in range(DRAWS)]
    assert "refused" in found


def test_a_spoilt_argument_is_not_passed_over() -> None:
    """The law itself: what raises, or is wrong, is found."""

    def broken(_: Arguments) -> Any:
        raise IndexError("list index out of range")

    for subject in (
        Subject("raises", lambda _: {"x": torch.zeros(2)}, broken, lambda *_: None),
        Subject("is wrong", lambda _: {"x": torch.zeros(2)}, lambda _: None, _a_plan),
    ):
        with pytest.raises(AssertionError, match=subject.name):
            tried(subject, 0)
