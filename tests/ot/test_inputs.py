"""One law for every argument of every public function: the right answer, or `InputError`."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import ot
from grapheme_torch import InputError
from grapheme_torch.ot import (
    Support,
    exact_plan,
    sparse_plan,
    transport_cost,
    transport_plan,
)

from ..problems import costs
from ..unchecked import unchecked
from ..unrolled import sinkhorn
from .plans import all_entries

B, N, M = 2, 3, 4

DTYPES = (
    torch.float16,
    torch.bfloat16,
    torch.float32,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
    torch.complex64,
    torch.complex128,
)


def _as(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    return lambda x: x.to(dtype)


def _with(value: float) -> Callable[[Tensor], Tensor]:
    """Another first number."""
    return lambda x: x.index_put((torch.tensor([0]),) * x.ndim, torch.tensor(value, dtype=x.dtype))


TENSORS: dict[str, Callable[[Tensor], Any]] = {
    "first axis gone": lambda x: x[0],
    "an axis more": lambda x: x[None],
    "scalar": lambda x: x.sum(),
    "last one gone": lambda x: x[..., :-1],
    "twice as many": lambda x: torch.cat([x, x], -1),
    "a pair less": lambda x: x[1:],
    "turned": lambda x: x.mT if x.ndim > 1 else x,
    "empty": lambda x: x[..., :0],
    "no pair": lambda x: x[:0],
    "expanded": lambda x: x[:1].expand_as(x),
    "other strides": lambda x: x.mT.contiguous().mT if x.ndim > 1 else x.repeat_interleave(2)[::2],
    "on meta": lambda x: x.to("meta"),
    "sparse": lambda x: x.to_sparse(),
    "a list": lambda x: x.tolist(),
    "an array": lambda x: x.numpy(),
    "nothing": lambda _: None,
    **{f"as {dtype}": _as(dtype) for dtype in DTYPES},
    **{f"with {x}": _with(x) for x in (math.nan, math.inf, -math.inf, -0.5, 0.0, 1e300)},
}
TEMPERATURES: dict[str, Any] = {
    **{str(v): v for v in (0.3, 1, 0, -0.1, math.nan, math.inf, 1j, True, "0.1", None, [0.1])},
    "float64": np.float64(0.2), "float32": np.float32(0.2),
    "0-d": torch.tensor(0.2), "one": torch.tensor([0.2]), "each": torch.tensor([0.2, 0.4]),
    "three": torch.ones(3), "matrix": torch.ones(B, 1), "whole": torch.tensor([1, 2]),
    "bools": torch.tensor([True, True]), "complex": torch.ones(B) * 1j, "none": torch.ones(0),
    "half": torch.tensor([0.25, 0.5]).half(), "zero": torch.tensor([0.2, 0.0]),
    "nan": torch.tensor([math.nan, 0.2]), "to learn": torch.ones(B, requires_grad=True),
    "meta": torch.ones(B, device="meta"),
}  # fmt: skip
GOOD_TEMPERATURES = {"0.3", "1", "float64", "float32", "0-d", "one", "each", "whole", "half"}
TOLERANCES = {str(v): v for v in (1e-12, 1e-9, 0.0, -1, math.nan, None, "1", True, 1j)}
GOOD_TOLERANCES = {"1e-12", "1e-09", "0.0", "-1"}
ITERATIONS: dict[str, Any] = {str(v): v for v in (100, 500, 0, -1, 1.5, None, True, 2**40, "9")}
ITERATIONS["np.int64"], ITERATIONS["tensor"] = np.int64(200), torch.tensor(3)
GOOD_ITERATIONS = {"100", "500", "np.int64"}

CALLS = st.fixed_dictionaries(
    {},
    optional={
        "cost": st.sampled_from(sorted(TENSORS)),
        "a": st.sampled_from(sorted(TENSORS)),
        "b": st.sampled_from(sorted(TENSORS)),
        "temperature": st.sampled_from(sorted(TEMPERATURES)),
        "tolerance": st.sampled_from(sorted(TOLERANCES)),
        "max_iterations": st.sampled_from(sorted(ITERATIONS)),
    },
)


def _call(changed: dict[str, str], *, options: bool = True) -> dict[str, Any]:
    """Arguments of which some are changed."""
    ones = torch.ones(B, M, dtype=torch.float64) * torch.tensor([[0.75], [1.5]])
    call: dict[str, Any] = {"cost": costs(1, B, N, M), "b": ones}
    call["a"] = torch.tensor([[1.0, 1.0, 1.0], [2.5, 2.0, 1.5]], dtype=torch.float64)
    if options:
        call["temperature"] = 0.2
    for name, how in changed.items():
        table = {"temperature": TEMPERATURES, "tolerance": TOLERANCES, "max_iterations": ITERATIONS}
        if name in table:
            if options:
                call[name] = table[name][how]
        else:
            call[name] = TENSORS[how](call[name])
    return call


def _good(call: dict[str, Any], changed: dict[str, str]) -> bool:
    """Whether the arguments make sense, by the words of the documentation."""
    tensors = [call[name] for name in ("cost", "a", "b")]
    if not all(isinstance(x, Tensor) and x.layout == torch.strided for x in tensors):
        return False
    cost, a, b = tensors
    if (
        any(x.is_complex() for x in tensors)
        or cost.ndim != 3
        or len({x.device for x in tensors}) > 1
    ):
        return False
    if a.shape != cost.shape[:2] or b.shape != cost.shape[::2]:
        return False
    return (cost.is_meta or _balanced(cost, a, b)) and _good_options(call, changed)


def _balanced(cost: Tensor, a: Tensor, b: Tensor) -> bool:
    masses = [x.double() for x in (a, b)]
    if not all(bool(((x >= 0) & x.isfinite()).all()) for x in masses):
        return False
    slack = max([1e-6] + [4 * torch.finfo(x.dtype).eps for x in (a, b) if x.is_floating_point()])
    sums = [x.sum(1) for x in masses]
    if not bool(((sums[0] - sums[1]).abs() <= slack * sums[0]).all()):
        return False
    shut = cost.double() == math.inf
    room = masses[0][:, :, None] + masses[1][:, None, :] <= sums[0][:, None, None] * (1 + 1e-12)
    used = (masses[0] > 0)[:, :, None] & (masses[1] > 0)[:, None, :]
    return bool((room | ~shut | ~used).all())


def _good_options(call: dict[str, Any], changed: dict[str, str]) -> bool:
    good = {
        "temperature": GOOD_TEMPERATURES,
        "tolerance": GOOD_TOLERANCES,
        "max_iterations": GOOD_ITERATIONS,
    }
    each = call.get("temperature", 0.2)
    if isinstance(each, Tensor) and each.ndim and len(each) not in (1, len(call["cost"])):
        return False
    return all(changed[name] in names for name, names in good.items() if name in changed)


def _reconciled(call: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    cost, a, b = (call[name].double() for name in ("cost", "a", "b"))
    total = b.sum(1, keepdim=True)
    return cost, a, torch.where(total > 0, b * a.sum(1, keepdim=True) / total, b)


def _eps(call: dict[str, Any], k: int) -> float:
    each = torch.as_tensor(call["temperature"], dtype=torch.float64).reshape(-1)
    return float(each[k if len(each) > 1 else 0])


def _result_dtype(cost: Tensor) -> torch.dtype:
    return cost.dtype if cost.is_floating_point() else torch.float32


def _near(found: Tensor, wanted: Tensor, dtype: torch.dtype) -> None:
    assert found.dtype == dtype
    rough = 1e-9 if dtype == torch.float64 else 2 * torch.finfo(dtype).eps
    torch.testing.assert_close(found.double(), wanted, rtol=rough, atol=rough, equal_nan=True)


def _wanted(call: dict[str, Any]) -> Tensor:
    """Each plan of the plain program; NaN of a pair that is none."""
    cost, a, b = _reconciled(call)
    plans = torch.zeros_like(cost)
    for k in range(len(cost)):
        used = (a[k] > 0)[:, None] & (b[k] > 0)
        if bool((used & (cost[k].isnan() | (cost[k] == -math.inf))).any()):
            plans[k] = math.nan
        elif bool(used.any()):
            plans[k] = sinkhorn(cost[k].clamp(max=1e6), a[k], b[k], _eps(call, k), 3000)
    return plans


@given(CALLS)
def test_the_plan(changed: dict[str, str]) -> None:
    call = _call(changed)
    if not _good(call, changed):
        with pytest.raises(InputError, match=r"^`.* must .*, got .*\. "):
            unchecked(transport_plan)(**call)
    elif call["cost"].is_meta:
        assert unchecked(transport_plan)(**call).plan.is_meta
    else:
        found = unchecked(transport_plan)(**call)
        _near(found.plan, _wanted(call), _result_dtype(call["cost"]))


@given(CALLS)
def test_the_cost(changed: dict[str, str]) -> None:
    call = _call(changed)
    if not _good(call, changed):
        with pytest.raises(InputError, match=r"^`.* must .*, got .*\. "):
            unchecked(transport_cost)(**call)
    elif call["cost"].is_meta:
        assert unchecked(transport_cost)(**call).is_meta
    else:
        cost, a, b = _reconciled(call)
        plan, product = _wanted(call), a[:, :, None] * b[:, None, :]
        share = torch.where(plan > 0, plan / product, 1).log()
        eps = cost.new_tensor([_eps(call, k) for k in range(len(cost))])[:, None, None]
        paid = torch.where(plan > 0, plan * (cost + eps * share), 0 * plan)
        found = unchecked(transport_cost)(**call)
        wanted = paid.sum((1, 2))
        dtype = _result_dtype(call["cost"])
        _near(found, wanted.to(dtype).double(), dtype)


@pytest.mark.repeats
@given(CALLS)
def test_the_exact_plan(changed: dict[str, str]) -> None:
    changed = {name: how for name, how in changed.items() if name in ("cost", "a", "b")}
    call = _call(changed, options=False)
    if not _good(call, changed) or call["cost"].is_meta:
        with pytest.raises(InputError, match=r"^`.* must .*, got .*\. "):
            unchecked(exact_plan)(**call)
        return
    found = unchecked(exact_plan)(**call)
    assert found.dtype == _result_dtype(call["cost"])
    cost, a, b = _reconciled(call)
    wanted = _wanted({**call, "temperature": 1.0})
    rough = max(1e-13, 2 * torch.finfo(found.dtype).eps)
    for k in range(len(cost)):
        if wanted[k].isnan().any():
            assert found[k].isnan().all()
            continue
        plan = found[k].double()
        torch.testing.assert_close(plan.sum(1), a[k], rtol=rough, atol=rough)
        torch.testing.assert_close(plan.sum(0), b[k], rtol=rough, atol=rough)
        high = torch.where((a[k] > 0)[:, None] & (b[k] > 0), cost[k], 0).clamp(max=1e6)
        if a[k].any():
            least = ot.emd2(a[k].numpy(), b[k].numpy(), high.numpy())
            assert float((plan * high).sum()) == pytest.approx(
                float(least), rel=4 * rough, abs=1e-9
            )


@pytest.mark.parametrize(
    "changed",
    [
        {"row": torch.tensor([0, 0, 1, 1, 2, 2, 3, 4])},
        {"row": torch.tensor([0, 0, 1, 1, 2, 2, 3, -1])},
        {"row": torch.tensor([0, 0, 1, 1, 2, 2, 3])},
        {"row": torch.tensor([0, 0, 0, 1, 2, 2, 3, 3])},
        {"row": torch.tensor([0, 0, 2, 1, 1, 2, 3, 3])},
        {"row": torch.zeros(8)},
        {"row": torch.zeros(8, dtype=torch.uint8)},
        {"column": torch.zeros(8, dtype=torch.bool)},
        {"column": torch.zeros(2, 4, dtype=torch.long)},
        {"column": [0, 1]},
        {"row_pair": torch.tensor([0, 0, 1, 2])},
        {"column_pair": torch.tensor([0, 0, 1, -1])},
        {"row_pair": torch.zeros(4, dtype=torch.long, device="meta")},
        {"num_pairs": -1},
        {"num_pairs": 1.5},
        {"num_pairs": 1},
    ],
)
def test_a_support_that_is_none_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r" must .*, got .*\. "):
        all_entries(**changed)


def test_a_support_may_be_empty() -> None:
    none = torch.zeros(0, dtype=torch.long)
    empty = Support(row=none, column=none, row_pair=none, column_pair=none, num_pairs=0)
    zero = torch.zeros(0, dtype=torch.float64)
    assert sparse_plan(empty, zero, zero, zero, temperature=zero).plan.shape == (0,)


SPARSE = {
    "cost": st.sampled_from(sorted(TENSORS)),
    "a": st.sampled_from(sorted(TENSORS)),
    "b": st.sampled_from(sorted(TENSORS)),
    "temperature": st.sampled_from(sorted(TEMPERATURES)),
    "tolerance": st.sampled_from(sorted(TOLERANCES)),
    "max_iterations": st.sampled_from(sorted(ITERATIONS)),
}


@given(st.fixed_dictionaries({}, optional=SPARSE))
def test_the_sparse_plan(changed: dict[str, str]) -> None:
    """With all entries it is the dense plan of the same numbers, or as little of one."""
    call: dict[str, Any] = {
        "cost": costs(2, 8), "a": torch.tensor([1.0, 2, 3, 1]).double(),
        "b": torch.tensor([1.5, 1.5, 2, 2]).double(), "temperature": 0.2,
    }  # fmt: skip
    tables = {"temperature": TEMPERATURES, "tolerance": TOLERANCES, "max_iterations": ITERATIONS}
    for name, how in changed.items():
        call[name] = tables[name][how] if name in tables else TENSORS[how](call[name])
    tensors = {name: call[name] for name in ("cost", "a", "b")}
    fits = {"cost": 8, "a": 4, "b": 4}
    shaped = all(
        isinstance(x, Tensor) and x.layout == torch.strided and x.shape == (fits[name],)
        for name, x in tensors.items()
    )
    dense = dict(call)
    if shaped:
        dense["cost"] = call["cost"].reshape(2, 2, 2)
        dense["a"], dense["b"] = call["a"].reshape(2, 2), call["b"].reshape(2, 2)
    if not shaped or call["cost"].is_meta or not _good(dense, changed):
        with pytest.raises(InputError, match=r"^`.* must .*, got .*\. "):
            unchecked(sparse_plan)(all_entries(), **call)
        return
    found = unchecked(sparse_plan)(all_entries(), **call)
    _near(found.plan, _wanted(dense).reshape(8), _result_dtype(call["cost"]))
