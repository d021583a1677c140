"""The operations of the network: the native kernel gives what PyTorch's formula gives."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grapheme_torch.nn import candidate_edges
from grapheme_torch.nn.operations import _attend, _drop, _hear, _operation, _score_pairs
from grapheme_torch.ot import AVAILABLE, LEVELS, backend, set_backend

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="installed without the native kernel")

SIZES = [3, 0, 17, 1, 8]
"""Nodes of the graphs of a batch."""

Call = Callable[[], Tensor]


@pytest.fixture
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(_operation, "LEVELS", [request.param])
    return str(request.param)


def batch_of(sizes: list[int]) -> Tensor:
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


def random(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype).requires_grad_()


def attention(dtype: torch.dtype, sizes: list[int], *, placed: bool, size: int) -> Any:
    batch = batch_of(sizes)
    qkv = random(len(batch), 3, 2, size, dtype=dtype)
    position = torch.randint(-5, 30, (len(batch),)) if placed else None
    return [qkv], lambda: _attend.attend(qkv, batch, len(sizes), position)


def messages(dtype: torch.dtype, sizes: list[int], *, edges: int = 40, dim: int = 37) -> Any:
    n = sum(sizes)
    said, gate = random(n, 3, dim, dtype=dtype), random(2, 3, dim, dtype=dtype)
    edge_index, kind = torch.randint(n, (2, edges)), torch.randint(3, (edges,))
    return [said, gate], lambda: _hear.hear(said, gate, edge_index, kind)


def scores(
    dtype: torch.dtype, sizes: list[int], *, steps: int, heads: int = 2, dim: int = 6
) -> Any:
    batch = batch_of(sizes)
    edge_index = candidate_edges(batch, kind="all")
    tensors = [
        random(len(batch), 4, dim, dtype=dtype), random(heads, dim, dtype=dtype),
        random(3, dim, dtype=dtype),
    ]  # fmt: skip
    offset = random(steps, dim, dtype=dtype) if steps else None
    step = torch.randint(steps, (edge_index.shape[1],)) if steps else None
    nodes, mix, read = tensors
    wanted = tensors if offset is None else [*tensors, offset]
    return wanted, lambda: _score_pairs.score_pairs(
        nodes, offset, mix, read, edge_index, step, batch
    )


CASES: dict[str, Callable[[torch.dtype, list[int]], tuple[list[Tensor], Call]]] = {
    "attention": lambda dtype, sizes: attention(dtype, sizes, placed=False, size=8),
    "attention, placed": lambda dtype, sizes: attention(dtype, sizes, placed=True, size=24),
    "attention, odd": lambda dtype, sizes: attention(dtype, sizes, placed=True, size=5),
    "messages": messages,
    "messages, no edges": lambda dtype, sizes: messages(dtype, sizes, edges=0),
    "scores": lambda dtype, sizes: scores(dtype, sizes, steps=0),
    "scores, steps": lambda dtype, sizes: scores(dtype, sizes, steps=4),
    "scores, one head": lambda dtype, sizes: scores(dtype, sizes, steps=4, heads=1, dim=19),
}
CASE = pytest.mark.parametrize("case", CASES)


def by_formula(call: Call) -> Tensor:
    before = backend()
    set_backend("pytorch")
    try:
        return call()
    finally:
        set_backend(before)


def derivatives(result: Tensor, tensors: list[Tensor], weight: Tensor) -> tuple[Tensor, ...]:
    found = torch.autograd.grad(result, tensors, weight, allow_unused=True)
    return tuple(
        torch.zeros_like(x) if g is None else g for g, x in zip(found, tensors, strict=True)
    )


@CASE
@pytest.mark.parametrize("level", LEVELS, indirect=True)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_value_and_derivative_are_those_of_the_formula(case: str, dtype: torch.dtype, level: str):
    torch.manual_seed(0)
    tensors, call = CASES[case](dtype, SIZES)
    found, expected = call(), by_formula(call)
    assert "Native" in str(found.grad_fn)
    assert "Native" not in str(expected.grad_fn)
    bound = 1e-12 if dtype == torch.float64 else 2e-5
    torch.testing.assert_close(found, expected, rtol=bound, atol=bound)
    weight = torch.randn_like(found)
    pairs = zip(*(derivatives(x, tensors, weight) for x in (found, expected)), strict=True)
    for mine, theirs in pairs:
        torch.testing.assert_close(mine, theirs, rtol=20 * bound, atol=20 * bound)


@CASE
def test_derivatives_are_those_of_finite_differences(case: str):
    torch.manual_seed(1)
    tensors, call = CASES[case](torch.float64, [2, 3])
    assert torch.autograd.gradcheck(lambda *_: call(), tensors, fast_mode=True)


@pytest.mark.parametrize("case", ["attention, placed", "messages", "scores, steps"])
def test_derivatives_have_derivatives(case: str):
    torch.manual_seed(2)
    tensors, call = CASES[case](torch.float64, [2, 3])
    assert torch.autograd.gradgradcheck(lambda *_: call(), tensors, fast_mode=True)


@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=20), seed=st.integers(0, 2**31))
def test_graphs_of_a_batch_do_not_meet(sizes: list[int], seed: int):
    torch.manual_seed(seed)
    if not sum(sizes):
        return
    batch = batch_of(sizes)
    qkv = torch.randn(len(batch), 3, 2, 4)
    together = _attend.attend(qkv, batch, len(sizes))
    alone = [_attend.attend(part, torch.zeros(len(part)).long(), 1) for part in qkv.split(sizes)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_do_not_change_a_bit(threads: int):
    torch.manual_seed(3)
    tensors, call = scores(torch.float32, [30] * 40, steps=5, dim=32)
    before = torch.get_num_threads()
    expected = derivatives(call(), tensors, torch.ones(40 * 30 * 29, 3))
    torch.set_num_threads(threads)
    try:
        found = derivatives(call(), tensors, torch.ones(40 * 30 * 29, 3))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(x, y) for x, y in zip(found, expected, strict=True))


@pytest.mark.parametrize("share", [0.1, 0.35, 0.9])
def test_what_is_dropped_is_the_share_and_the_mean_stays(share: float):
    torch.manual_seed(4)
    before, after = torch.zeros(400, 96), torch.ones(400, 96)
    found = _drop.drop(before, after, share)
    assert found.unique().numel() == 2
    assert found.min() == 0
    spread = (share * (1 - share) / found.numel()) ** 0.5
    assert abs((found == 0).float().mean() - share) < 5 * spread
    assert abs(found.mean() - 1) < 5 * spread / (1 - share)
    rows, columns = (found == 0).float().mean(1).std(), (found == 0).float().mean(0).std()
    assert rows < 1.3 * (share * (1 - share) / 96) ** 0.5
    assert columns < 1.3 * (share * (1 - share) / 400) ** 0.5


def test_dropping_is_drawn_anew_and_again_from_the_same_seed():
    before, after = torch.zeros(50, 96), torch.ones(50, 96)
    torch.manual_seed(5)
    first, second = (_drop.drop(before, after, 0.5) for _ in range(2))
    torch.manual_seed(5)
    assert torch.equal(first, _drop.drop(before, after, 0.5))
    assert 0.4 < (first == second).float().mean() < 0.6


def test_derivatives_of_dropping_keep_what_was_kept():
    before, after = random(7, 5), random(7, 5)

    def call(before: Tensor, after: Tensor) -> Tensor:
        torch.manual_seed(6)
        return _drop.drop(before, after, 0.4)

    assert torch.autograd.gradcheck(call, (before, after))
    assert torch.autograd.gradgradcheck(call, (before, after))


def test_nothing_is_dropped_for_a_share_of_zero():
    after = torch.ones(3, 2)
    assert _drop.drop(torch.zeros(3, 2), after, 0.0) is after


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(4, 3, 2, 4, dtype=torch.bfloat16),
        torch.randn(0, 3, 2, 4),
        torch.randn(4, 3, 2, 4, device="meta"),
    ],
    ids=["half", "empty", "meta"],
)
def test_what_the_kernel_has_not_goes_to_the_formula(x: Tensor):
    batch = torch.zeros(len(x), dtype=torch.long, device=x.device)
    if x.device.type == "meta":
        assert not _operation._has_kernel([x], {"batch": batch})
        return
    found = _attend.attend(x.requires_grad_(), batch, 1)
    assert found.dtype == x.dtype
    assert "Native" not in str(found.grad_fn)


def test_transforms_of_functions_go_to_the_formula():
    said, gate = torch.randn(4, 3, 5), torch.ones(2, 1, 5)
    edge_index, kind = torch.tensor([[0], [1]]), torch.tensor([0])
    found = torch.func.grad(lambda x: _hear.hear(x, gate, edge_index, kind).sum())(said)
    expected = torch.zeros(4, 3, 5)
    expected[:, 0] = expected[0, 1] = expected[1, 2] = 1
    assert torch.equal(found, expected)


def test_edges_that_leave_their_graph_are_refused():
    batch, nodes = torch.tensor([0, 0, 1]), torch.randn(3, 4, 4)
    edges = torch.tensor([[0], [2]])
    with pytest.raises(ValueError, match="between two graphs"):
        _score_pairs.score_pairs(
            nodes, None, torch.randn(2, 4), torch.randn(3, 4), edges, None, batch
        )


def test_edges_that_are_not_sorted_by_graph_are_refused():
    batch, nodes = torch.tensor([0, 0, 1, 1]), torch.randn(4, 4, 4)
    edges = torch.tensor([[2, 0], [3, 1]])
    with pytest.raises(ValueError, match="sorted by graph"):
        _score_pairs.score_pairs(
            nodes, None, torch.randn(2, 4), torch.randn(3, 4), edges, None, batch
        )


def test_edges_of_no_node_are_refused():
    said, gate = torch.randn(2, 3, 4), torch.randn(2, 1, 4)
    with pytest.raises(ValueError, match="a node there is not"):
        _hear.hear(said, gate, torch.tensor([[0], [7]]), torch.tensor([0]))
