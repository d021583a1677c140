"""Batches of predictions taken apart, put together, moved: no field is ever forgotten."""

import copy
import io
import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grapheme_torch import InputError, Prediction
from grapheme_torch.testing import permute_prediction, select_prediction

from ..unchecked import unchecked
from .samples import NAMES, assert_same, full, parts

SIZES = st.lists(st.integers(0, 4), min_size=1, max_size=5).map(tuple)


def test_the_sample_has_every_field() -> None:
    """So that a new field, which is in no sample, fails here and is thought of."""
    given = parts(full())
    assert set(given) == set(NAMES)
    assert all(value is not None for value in given.values())
    assert given["directed"] is not Prediction.__dataclass_fields__["directed"].default


@given(SIZES)
def test_apart_and_together_again(sizes: tuple[int, ...]) -> None:
    whole = full(sizes)
    alone = [whole[k] for k in range(len(whole))]
    assert [len(one) for one in alone] == [1] * len(sizes)
    order = whole.batch[whole.edge_index[0]].argsort(stable=True)
    assert_same(Prediction.cat(alone), whole.take(edges=order))
    assert [one.num_graphs for one in whole] == [1] * len(sizes)


@given(SIZES, st.data())
def test_an_index_is_the_graphs_it_names(sizes: tuple[int, ...], data: st.DataObject) -> None:
    whole = full(sizes)
    size = len(sizes)
    numbers = data.draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=6))
    wanted = Prediction.cat([whole[k] for k in numbers])
    assert_same(whole[numbers], wanted)
    assert_same(whole[torch.tensor(numbers)], wanted)
    assert_same(whole[torch.tensor(numbers, dtype=torch.int32)], wanted)


@pytest.mark.parametrize("at", [slice(None), slice(1, None), slice(None, None, -1), slice(-3, -1)])
def test_a_slice_is_the_graphs_it_names(at: slice) -> None:
    whole = full()
    assert_same(whole[at], whole[list(range(len(whole)))[at]])


def test_a_mask_is_the_graphs_it_names() -> None:
    whole, mask = full(), torch.tensor([True, False, True, True])
    assert_same(whole[mask], whole[[0, 2, 3]])


@pytest.mark.parametrize("nothing", [[], slice(0, 0), torch.zeros(4, dtype=torch.bool)])
def test_no_graph_of_a_batch(nothing: Any) -> None:
    found = full()[nothing]
    assert len(found) == 0
    assert found.label.shape == (0, 3)
    assert found.edge_index.shape == (2, 0)


@pytest.mark.parametrize("bad", [4, -5, [0, 4], torch.tensor([-5])])
def test_a_graph_that_is_not_there(bad: Any) -> None:
    message = r"`graphs` must lie in \[-4, 4\), got -?[45]. The batch has 4 graphs"
    with pytest.raises(InputError, match=message):
        full()[bad]
    with pytest.raises(IndexError):
        full()[bad]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("ab", "`graphs` must name graphs of the batch, got 'ab'"),
        (torch.tensor([0.0]), "`graphs` must be a tensor of integers, got one of torch.float32"),
        (torch.ones(3, dtype=torch.bool), r"a mask of graphs must have shape \(4,\), got \(3,\)"),
        (torch.ones(4, dtype=torch.uint8), "got one of torch.uint8. .* a mask is turned into"),
    ],
)
def test_what_is_no_index(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        unchecked(Prediction.select)(full(), bad)


def test_a_batch_in_disorder_is_not_taken_apart() -> None:
    mixed = replace(full((2, 1)), batch=torch.tensor([0, 1, 0]), num_graphs=2)
    with pytest.raises(InputError, match=r"`prediction.batch` must ascend from 0 to at most 1"):
        mixed.select(0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("label", lambda x: x[:, :2]),
        ("relation", lambda x: x[:, :1]),
        ("position", lambda _: None),
        ("position", lambda x: x[:, 0]),
        ("weight", lambda _: None),
        ("directed", lambda _: True),
    ],
)
def test_what_is_not_alike_is_not_joined(name: str, change: Any) -> None:
    other = replace(full(), **{name: change(getattr(full(), name))})
    with pytest.raises(InputError, match=f"`Prediction.{name}` must be alike in all predictions"):
        Prediction.cat([full(), other])


def test_what_is_no_prediction_is_not_joined() -> None:
    with pytest.raises(InputError, match="`predictions` must hold at least one"):
        Prediction.cat([])
    with pytest.raises(InputError, match="`predictions` must hold predictions only, got a int"):
        unchecked(Prediction.cat)([full(), 1])


def test_the_helpers_of_testing_keep_every_field() -> None:
    whole = full()
    assert_same(select_prediction(whole, 2), whole[2])
    order = torch.tensor([2, 0, 1, 4, 3, 5])
    turned = permute_prediction(whole, order)
    assert_same(permute_prediction(turned, order.argsort()), whole)
    for name in ("existence", "label", "position"):
        assert torch.equal(getattr(turned, name), getattr(whole, name)[order])
    assert torch.equal(order[turned.edge_index], whole.edge_index)


def test_another_dtype_is_of_logits_only() -> None:
    whole = full()
    for moved in (
        whole.to(torch.float64),
        whole.to("cpu", torch.float64),
        whole.to(dtype=torch.float64),
    ):
        for name, value in parts(moved).items():
            before = getattr(whole, name)
            if isinstance(value, Tensor):
                assert value.dtype == (torch.float64 if before.is_floating_point() else torch.long)
        assert_same(moved.to(torch.float32), whole)
    assert_same(whole.to("cpu", non_blocking=True), whole)
    assert_same(whole.to(torch.zeros(1)), whole)
    assert whole.to("meta").label.device.type == "meta"
    with pytest.raises(
        InputError, match=r"`dtype` must be a floating-point dtype, got torch.int64"
    ):
        whole.to(torch.int64)


def test_apply_sees_every_tensor() -> None:
    seen: list[int] = []

    def note(x: Tensor) -> Tensor:
        seen.append(id(x))
        return x

    whole = full()
    assert_same(whole.apply(note), whole)
    assert seen == [id(x) for x in parts(whole).values() if isinstance(x, Tensor)]


def test_gradients_are_asked_for_and_cut_off() -> None:
    whole = full().requires_grad_()
    free = [x for x in parts(whole).values() if isinstance(x, Tensor) and x.is_floating_point()]
    assert all(x.requires_grad for x in free)
    doubled = whole.to(torch.float64)
    doubled.label.sum().backward()
    assert whole.label.grad is not None
    assert not any(x.requires_grad for x in parts(whole.detach()).values() if torch.is_tensor(x))
    assert not whole.requires_grad_(False).label.requires_grad


def test_copies_and_files_keep_every_field() -> None:
    whole = full()
    assert_same(copy.deepcopy(whole), whole)
    assert_same(pickle.loads(pickle.dumps(whole)), whole)
    file = io.BytesIO()
    torch.save({"teacher": whole}, file)
    file.seek(0)
    assert_same(torch.load(file, weights_only=True)["teacher"], whole)
