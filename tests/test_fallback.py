"""Without the native kernel the CPU is slower, and the package says so once."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch_geometric.data import Data

from grapheme_torch import Prediction, StructuralLoss
from grapheme_torch._check import Notice
from grapheme_torch.ot import backend, set_backend, transport_plan
from grapheme_torch.ot.kernels import _dispatch, _native_cpu


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where no compiler was found."""
    monkeypatch.setattr(_native_cpu, "AVAILABLE", False)
    monkeypatch.setattr(_dispatch, "_chosen", None)
    _dispatch._tell_of_pytorch.cache_clear()
    yield
    _dispatch._tell_of_pytorch.cache_clear()


def loss() -> float:
    nodes, edges = torch.zeros(1, 3, 4, requires_grad=True), torch.zeros(1, 3, 3, 2)
    target = Data(y=torch.tensor([0, 1]), edge_index=torch.tensor([[0], [1]]), num_nodes=2)
    total = StructuralLoss()(Prediction.from_dense(nodes, edges), target).total
    total.backward()
    return total.item()


@pytest.mark.usefixtures("unbuilt")
def test_the_first_loss_tells_the_price_and_the_remedy() -> None:
    assert backend() == "pytorch"
    with pytest.warns(Notice, match="not built") as told:
        loss()
    (notice,) = told
    text = str(notice.message)
    assert " ms instead of " in text
    assert "Install GCC or Clang" in text


@pytest.mark.usefixtures("unbuilt")
def test_it_is_told_once() -> None:
    with pytest.warns(Notice, match="not built"):
        loss()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss()


@pytest.mark.usefixtures("unbuilt")
def test_it_is_told_of_a_plan_too() -> None:
    with pytest.warns(Notice, match="not built"):
        transport_plan(torch.eye(2)[None], torch.ones(1, 2), torch.ones(1, 2), temperature=0.1)


@pytest.mark.usefixtures("unbuilt")
def test_who_chose_pytorch_is_told_nothing() -> None:
    set_backend("pytorch")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss()


@pytest.mark.skipif(not _native_cpu.AVAILABLE, reason="the native kernel was not built")
def test_with_the_kernel_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dispatch, "_chosen", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss()
