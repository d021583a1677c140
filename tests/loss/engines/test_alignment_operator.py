"""The operator of the loss and its autograd function: who is asked, what is kept."""

from dataclasses import replace
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grapheme_torch import StructuralLoss
from grapheme_torch.loss.engines import _kernel as kernel
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ..batches import problem, solved
from .test_native_engine import called_with

pytestmark = pytest.mark.skipif(not _cpu.AVAILABLE, reason="installed without the native kernel")


class Watch(TorchDispatchMode):
    """Notes the names of the operators that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Calls it."""
        del types
        self.seen.add(func.name())
        return func(*args, **(kwargs or {}))


def test_whoever_watches_operators_sees_those_of_the_loss() -> None:
    """Otherwise the kernel is asked directly; the numbers are the same."""
    prediction, target = problem(3, [(4, 3), (2, 5)], weighted=True)
    loss = StructuralLoss(reduction="none")
    plain, slopes = solved("native", loss, prediction, target)
    with Watch() as watch:
        seen, other = solved("native", loss, prediction, target)
    names = {"grapheme_torch::alignment", "grapheme_torch::alignment_adjoint"}
    assert names <= watch.seen
    for x, y in zip([plain.total, *slopes], [seen.total, *other], strict=True):
        assert torch.equal(x, y)


def test_what_is_learned_is_saved_by_autograd_alone() -> None:
    """Changed in place before the derivative, it is refused: nobody else holds it."""
    prediction, target = problem(3, [(4, 3)], weighted=True)
    assert prediction.weight is not None
    weight = prediction.weight.detach().clone().requires_grad_()
    result = StructuralLoss()(replace(prediction, weight=weight * 1), target)
    held = result.total.grad_fn
    while held is not None and not hasattr(held, "held"):
        held = held.next_functions[0][0]
    assert held is not None
    record = cast(Any, held).held.record
    assert all(getattr(record, name) is None for name in kernel.LEARNED)
    assert record.graph is not None
    with torch.no_grad():
        cast(Any, held).saved_tensors[0].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.total.backward()


def test_a_tensor_of_a_subclass_is_read_by_its_attributes() -> None:
    """The same numbers as a plain tensor, whose form PyTorch tells by a C function."""

    class Own(Tensor):
        pass

    call = called_with(*problem(1, [(4, 3), (2, 5)], weighted=True))
    own = [None if x is None else x.as_subclass(Own) for x in call.inputs]
    record = kernel.record_of(kernel.Inputs(*own))
    found = kernel.align(*call, record=record)
    for x, y in zip(found, kernel.align(*call), strict=True):
        assert torch.equal(x, y)
