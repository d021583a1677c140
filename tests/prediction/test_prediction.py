"""What a network says about a graph: its shapes, the sure answer, and reading it."""

import re
from typing import Any

import pytest
import torch

from grapheme_torch import InputError
from grapheme_torch.decoding._decode import decode
from grapheme_torch.graphs import edge_triples
from grapheme_torch.prediction import Prediction

from ..unchecked import unchecked
from .samples import assert_same, full
from .samples import parts as fields_of


def parts(**other: Any) -> dict[str, Any]:
    """The tensors of a prediction of three nodes, four classes, two edges, two relations."""
    given = {
        "existence": torch.tensor([1.0, -1.0, 2.0]),
        "label": torch.eye(4)[:3],
        "edge_index": torch.tensor([[0, 0], [1, 2]]),
        "relation": torch.tensor([[0.0, 1.0], [0.0, 2.0]]),
    }
    return {**given, **other}


def test_without_a_batch_all_nodes_are_one_graph():
    prediction = Prediction(**parts())
    assert prediction.batch.tolist() == [0, 0, 0]
    assert prediction.num_graphs == 1
    assert prediction.position is None


def test_the_number_of_graphs_is_read_off_the_batch():
    assert Prediction(**parts(batch=torch.tensor([0, 1, 1]))).num_graphs == 2


def test_empty_graphs_at_the_end_count_if_said():
    prediction = Prediction(**parts(batch=torch.tensor([0, 1, 1]), num_graphs=4))
    assert prediction.num_graphs == 4


def test_a_prediction_of_no_node():
    prediction = Prediction(
        existence=torch.zeros(0),
        label=torch.zeros(0, 4),
        edge_index=torch.zeros(2, 0, dtype=torch.long),
        relation=torch.zeros(0, 2),
    )
    assert prediction.batch.shape == (0,)
    assert prediction.num_graphs == 1
    (graph,) = decode(prediction, "abcd", ["next"])
    assert graph.num_nodes == 0


def test_a_field_keeps_its_kind_and_shape():
    """Tools put a moved or detached tensor in the place of one; nothing else is let in."""
    prediction: Any = Prediction(**parts())
    prediction.label = torch.zeros(3, 4)
    assert prediction.label.eq(0).all()
    for name, value in (
        ("label", torch.zeros(2, 4)),
        ("label", torch.zeros(3, 4, dtype=torch.long)),
        ("batch", torch.zeros(3)),
        ("weight", torch.zeros(2)),
        ("num_graphs", 2),
        ("relation", None),
    ):
        with pytest.raises(InputError, match=f"`Prediction.{name}` must keep its kind and shape"):
            setattr(prediction, name, value)
    with pytest.raises(InputError, match="must be a field to be assigned to"):
        prediction.wieght = torch.zeros(2)


def test_a_prediction_equals_itself_only():
    prediction = Prediction(**parts())
    assert prediction in [prediction]
    assert prediction != Prediction(**parts())


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("existence", (3, 1), "(3,)"),
        ("existence", (), "(1,)"),
        ("label", (3,), "(3, classes)"),
        ("label", (2, 4), "(3, classes)"),
        ("edge_index", (3, 2), "(2, 2)"),
        ("edge_index", (), "(2, 0)"),
        ("relation", (3, 2), "(2, relations)"),
        ("relation", (2,), "(2, relations)"),
        ("batch", (2,), "(3,)"),
        ("batch", (), "(3,)"),
        ("position", (2,), "(3,)"),
        ("position", (2, 1), "(3, coordinates)"),
        ("weight", (3,), "(2,)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(name: str, shape: tuple[int, ...], wanted: str):
    whole = name in ("edge_index", "batch")
    tensor = torch.zeros(shape, dtype=torch.long if whole else torch.float)
    message = (
        f"`Prediction.{name}` must have shape {wanted}, got {shape}. "
        "Give one row per node or candidate edge."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        unchecked(Prediction)(**parts(**{name: tensor}))


@pytest.mark.parametrize("name", ["position", "weight"])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16])
def test_whole_places_and_weights_are_taken(name: str, dtype: torch.dtype):
    good = full((3,))
    whole = torch.arange(getattr(good, name).numel()).reshape(getattr(good, name).shape)
    given = unchecked(Prediction)(**{**fields_of(good), name: whole.to(dtype)})
    assert torch.equal(getattr(given, name), whole.float())


@pytest.mark.parametrize("name", ["existence", "label", "relation", "position", "weight"])
@pytest.mark.parametrize("dtype", [torch.long, torch.bool, torch.uint8, torch.complex64])
def test_what_is_no_real_number_is_refused(name: str, dtype: torch.dtype):
    if dtype == torch.long and name in ("position", "weight"):
        return  # read as the numbers they are
    good = full((3,))
    other = {name: getattr(good, name).to(dtype)}
    message = f"`Prediction.{name}` must be a dense floating-point tensor, got {dtype} of shape"
    with pytest.raises(InputError, match=message):
        unchecked(Prediction)(**{**fields_of(good), **other})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_real_number_is_taken(dtype: torch.dtype):
    given = full((3,)).to(dtype)
    assert given.label.dtype == given.weight.dtype == dtype


@pytest.mark.parametrize("name", ["edge_index", "batch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.uint8])
def test_what_is_no_index_is_refused(name: str, dtype: torch.dtype):
    good = full((3,))
    other = {name: getattr(good, name).to(dtype)}
    with pytest.raises(InputError, match=f"`Prediction.{name}` must be a tensor of integers, got"):
        unchecked(Prediction)(**{**fields_of(good), **other})


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32])
def test_integers_of_any_width_are_taken(dtype: torch.dtype):
    good = full()
    other = {name: getattr(good, name).to(dtype) for name in ("edge_index", "batch")}
    assert_same(unchecked(Prediction)(**{**fields_of(good), **other}), good)


@pytest.mark.parametrize("empty", [[], [[], []]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.long])
def test_no_edges_may_be_an_empty_list(empty: list[Any], dtype: torch.dtype):
    """`torch.tensor([])` is of floats, which says nothing wrong."""
    none = torch.tensor(empty, dtype=dtype)
    prediction = unchecked(Prediction)(**parts(edge_index=none, relation=torch.zeros(0, 2)))
    assert prediction.edge_index.shape == (2, 0)
    assert prediction.edge_index.dtype == torch.long


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("label", [[0.0]], "`Prediction.label` must be a dense floating-point tensor, got ..0"),
        (
            "existence",
            None,
            "`Prediction.existence` must be a dense floating-point tensor, got not",
        ),
        (
            "edge_index",
            [[0], [1]],
            "`Prediction.edge_index` must be a tensor of integers, got ..0",
        ),
        ("batch", [0, 0, 0], "`Prediction.batch` must be a tensor of integers, got .0, 0"),
        ("num_graphs", -1, "`Prediction.num_graphs` must be a whole number from 0 on, below 2147"),
        ("num_graphs", 10**30, "`Prediction.num_graphs` must be a whole number from 0 on, below"),
        ("num_graphs", 2.0, "`Prediction.num_graphs` must be a whole number from 0 on, .* got 2.0"),
        (
            "num_graphs",
            True,
            "`Prediction.num_graphs` must be a whole number from 0 on, .* got True",
        ),
        ("directed", 0, "`Prediction.directed` must be True or False, got 0"),
        ("label", torch.zeros(3, 4, device="meta"), "must be on the device of `existence` .cpu., "),
    ],
)
def test_what_is_of_another_kind_is_refused(name: str, value: Any, message: str):
    with pytest.raises(InputError, match=message):
        unchecked(Prediction)(**parts(**{name: value}))


# Reading a prediction.


def test_a_node_that_is_less_likely_than_not_is_left_out_with_its_edges():
    (graph,) = decode(Prediction(**parts()), "abcd", ["next"])
    assert graph.label == ["a", "c"]
    assert edge_triples(graph) == [(0, 1, "next")]


def test_an_absent_relation_is_no_edge():
    relation = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    (graph,) = decode(Prediction(**parts(relation=relation)), "abcd", ["next"])
    assert edge_triples(graph) == []


def test_nodes_keep_their_place():
    position = torch.tensor([0.0, 1.0, 2.0])
    (graph,) = decode(Prediction(**parts(position=position)), "abcd", ["next"])
    assert graph.position.tolist() == [0.0, 2.0]


def test_a_graph_without_nodes_is_read_as_empty():
    prediction = Prediction(**parts(batch=torch.tensor([1, 1, 1]), num_graphs=3))
    first, second, third = decode(prediction, "abcd", ["next"])
    assert first.num_nodes == 0
    assert second.label == ["a", "c"]
    assert third.num_nodes == 0


def test_the_class_after_the_last_label_is_the_name_a_node_copies():
    label = torch.tensor([[0.0, 0.0, 5.0], [0.0, 0.0, 5.0], [0.0, 5.0, 0.0]])
    prediction = Prediction(**parts(label=label))
    (graph,) = decode(prediction, "ab", ["next"], own=["x", "y", "z"])
    assert graph.label == ["x", "b"]


def test_a_label_that_may_not_be_copied_is_the_best_of_the_others():
    label = torch.tensor([[0.0, 1.0, 5.0], [0.0, 0.0, 5.0], [1.0, 0.0, 5.0]])
    (graph,) = decode(Prediction(**parts(label=label)), "ab", ["next"])
    assert graph.label == ["b", "a"]


def test_relations_are_named_from_one_on():
    relation = torch.tensor([[0.0, 0.0, 5.0], [0.0, 0.0, 5.0]])
    (graph,) = decode(Prediction(**parts(relation=relation)), "abcd", ["up", "down"])
    assert edge_triples(graph) == [(0, 1, "down")]
