"""The native kernel: the numbers of the PyTorch path, and the derivative of what it computes."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grapheme_torch.ot import backend, set_backend, transport_plan
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ...problems import costs, ragged
from ...unchecked import unchecked
from ...unrolled import sinkhorn

pytestmark = pytest.mark.skipif(not _cpu.AVAILABLE, reason="installed without the native kernel")

SIZES = [(4, 4), (5, 2), (2, 6), (1, 1), (0, 3), (0, 0), (12, 20), (33, 17), (25, 8), (9, 9)]
FEW = [(3, 3), (3, 2), (1, 3), (2, 4)]
TEMPERATURES = [1.0, 0.1, 0.05, 0.02, 0.01, 0.005]
LEVELS = pytest.mark.parametrize("level", _cpu.LEVELS or ["none"])

# name: newton, tolerance, max_iterations
MODES = {
    "converged": (True, 1e-12, 100),
    "loose": (True, 1e-3, 100),
    "few sweeps": (True, -1.0, 3),
    "capped": (True, 1e-12, 22),
    "never met": (True, -1.0, 30),
    "unrolled": (False, 1e-8, 200),
    "unrolled, never met": (False, -1.0, 40),
    "none": (False, -1.0, 0),
}
MODE = pytest.mark.parametrize("mode", MODES)

# What `transport_plan` offers, without the one case in which a result is known to its tolerance
# only: a loose stop amid Newton steps on cold pairs, which turn on the last bits of the system.
CASES = [
    (temperature, mode)
    for temperature in TEMPERATURES
    for mode in MODES
    if mode != "none" and (mode, temperature) != ("loose", 0.005)
]


@pytest.fixture(autouse=True)
def on_every_backend() -> Iterator[None]:
    """In place of the fixture of the folder: the kernel is called by name, beside PyTorch."""
    before = backend()
    set_backend("pytorch")
    yield
    set_backend(before)


def _eps(temperature: float, pairs: int) -> Tensor:
    return torch.full((pairs,), temperature, dtype=torch.float64)


def _both(
    cost: Tensor, a: Tensor, b: Tensor, temperature: float, mode: str, level: str | None = None
) -> tuple[list[Tensor], list[Tensor]]:
    """Plan, gradient in the cost, iterations, convergence: of the kernel and of PyTorch."""
    newton, tolerance, most = MODES[mode]
    eps, w = _eps(temperature, len(cost)), costs(99, *cost.shape) - 0.5
    plan, _, _, residual, iterations = _cpu.solve(
        cost, eps, a, b, tolerance, most, newton, level=level
    )
    done = residual <= tolerance
    slope, _, _ = _cpu.adjoint(cost, eps, a, b, plan, iterations, done & newton, w, level=level)
    leaf = cost.clone().requires_grad_()
    found = transport_plan(
        leaf, a, b, temperature=temperature, tolerance=tolerance, max_iterations=most,
        gradient="exact" if newton else "unrolled",
    )  # fmt: skip
    wanted = torch.autograd.grad((found.plan * w).sum(), leaf)[0]
    return (
        [plan, slope, iterations, done],
        [found.plan.detach(), wanted, found.iterations, found.converged],
    )


def _assert_same(mine: list[Tensor], other: list[Tensor], temperature: float) -> None:
    torch.testing.assert_close(mine[0], other[0], rtol=0, atol=1e-10)
    # A gradient is a small difference of terms of the size of `plan * w / eps`.
    torch.testing.assert_close(mine[1], other[1], rtol=1e-9, atol=1e-9 / temperature)
    # Newton's path turns on the last bits where groups all but separate.
    assert (mine[2] - other[2]).abs().max() <= (1 if temperature >= 0.02 else 3)
    assert torch.equal(mine[3], other[3])


@pytest.mark.repeats
@LEVELS
@pytest.mark.parametrize(("temperature", "mode"), CASES)
def test_the_numbers_of_the_pytorch_path(temperature: float, mode: str, level: str) -> None:
    mine, other = _both(*ragged(1, SIZES), temperature, mode, level)
    _assert_same(mine, other, temperature)


@LEVELS
@pytest.mark.parametrize(("temperature", "least"), [(0.002, 10), (0.001, 10), (0.0002, 5)])
def test_the_coldest_pairs_converge_as_often_and_to_the_same_plan(
    temperature: float, least: int, level: str
) -> None:
    # Newton's path turns on the last bits where groups all but separate, and so does its length.
    mine, other = _both(*ragged(1, SIZES), temperature, "converged", level)
    assert mine[3].sum() >= other[3].sum()
    both = mine[3] & other[3]
    assert both.sum() >= least
    torch.testing.assert_close(mine[0][both], other[0][both], rtol=0, atol=1e-9)
    assert mine[1].isfinite().all()


@LEVELS
def test_pairs_that_are_factored_in_panels(level: str) -> None:
    problem = ragged(1, [(300, 280), (257, 600), (270, 261)])
    _assert_same(*_both(*problem, 0.05, "converged", level), 0.05)


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4),
    st.sampled_from(CASES),
)
def test_any_sizes(seed: int, sizes: list[tuple[int, int]], case: tuple[float, str]) -> None:
    temperature, mode = case
    _assert_same(*_both(*ragged(seed, sizes), temperature, mode), temperature)


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 9), st.sampled_from(TEMPERATURES))
def test_any_masses(seed: int, n: int, m: int, temperature: float) -> None:
    a, b = costs(seed, 3, n), costs(seed + 1, 3, m)
    a, b = torch.where(a < 0.2, 0, a**3), torch.where(b < 0.2, 0, b**3)
    a[:, 0], b[:, 0] = a[:, 0] + 0.1, b[:, 0] + 0.1
    b = b * (a.sum(1) / b.sum(1))[:, None]
    mine, other = _both(costs(seed, 3, n, m), a, b, temperature, "converged")
    _assert_same(mine, other, temperature)


@LEVELS
def test_potentials_and_residual_are_those_of_the_plan(level: str) -> None:
    cost, a, b = ragged(2, SIZES)
    eps = torch.linspace(0.05, 0.3, len(SIZES), dtype=torch.float64)
    plan, f, g, residual, _ = _cpu.solve(cost, eps, a, b, 1e-12, 100, True, level=level)
    c = (f[:, :, None] + g[:, None, :] - cost) / eps[:, None, None]
    torch.testing.assert_close(a[:, :, None] * b[:, None, :] * c.exp(), plan, rtol=1e-11, atol=0)
    assert not f[a == 0].any()
    assert not g[b == 0].any()
    assert residual.max() <= 1e-12
    _, _, _, residual, _ = _cpu.solve(cost, eps, a, b, -1.0, 2, True, level=level)
    plan, _, _, _, _ = _cpu.solve(cost, eps, a, b, -1.0, 2, True, level=level)
    missed = (plan.sum(1) - b).abs().sum(1) / b.sum(1).clamp(min=1)
    torch.testing.assert_close(missed, residual, rtol=1e-12, atol=1e-15)
    assert residual.max() > 1e-4


@LEVELS
@pytest.mark.parametrize("sweeps", [0, 1, 2, 7, 60])
@pytest.mark.parametrize("temperature", [0.2, 0.001])
def test_sweeps_and_their_gradient_in_everything(
    sweeps: int, temperature: float, level: str
) -> None:
    cost, a, b = ragged(3, FEW)
    a, b = a * 0.7, b * 0.7
    eps, w = _eps(temperature, len(FEW)), costs(4, *cost.shape)
    plan, _, _, _, count = _cpu.solve(cost, eps, a, b, -1.0, sweeps, False, level=level)
    assert count.tolist() == [sweeps] * len(FEW)
    mine = _cpu.adjoint(
        cost, eps, a, b, plan, count, torch.zeros(len(FEW), dtype=torch.bool), w, level=level
    )
    inputs = [x.clone().requires_grad_() for x in (cost, a, b)]
    pairs = zip(*inputs, strict=True)
    plain = torch.stack([sinkhorn(x, y, z, temperature, sweeps) for x, y, z in pairs])
    torch.testing.assert_close(plan, plain.detach(), rtol=0, atol=1e-11)
    wanted = torch.autograd.grad((plain * w).sum(), inputs)
    for one, other in zip(mine, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10 / temperature)
    assert wanted[1].abs().max() > 1e-3


def _directions(a: Tensor, b: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Random changes of the masses that keep the sums equal, and zero where the mass is."""
    da, db = costs(seed, *a.shape) * (a > 0), costs(seed + 1, *b.shape) * (b > 0)
    return da, db * (da.sum(1) / db.sum(1))[:, None]


@pytest.mark.parametrize("temperature", [0.5, 0.1])
@pytest.mark.parametrize("sizes", [FEW, [(6, 3), (3, 6), (5, 5)]])
def test_gradients_at_a_fixed_point_by_finite_differences(
    temperature: float, sizes: list[tuple[int, int]]
) -> None:
    cost, a, b = ragged(5, sizes)
    eps, w, step = _eps(temperature, len(sizes)), costs(6, *cost.shape), 1e-5
    dc, (da, db) = costs(7, *cost.shape), _directions(a, b, 8)

    def value(t: float) -> Tensor:
        found = _cpu.solve(cost + t * dc, eps, a + t * da, b + t * db, 1e-14, 200, True)
        return (found[0] * w).sum((1, 2))

    plan, _, _, _, count = _cpu.solve(cost, eps, a, b, 1e-14, 200, True)
    implicit = torch.ones(len(sizes), dtype=torch.bool)
    slopes = _cpu.adjoint(cost, eps, a, b, plan, count, implicit, w)
    slope = (slopes[0] * dc).sum((1, 2)) + (slopes[1] * da).sum(1) + (slopes[2] * db).sum(1)
    difference = (value(step) - value(-step)) / (2 * step)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-7)
    assert not slopes[1][a == 0].any()
    assert not slopes[2][b == 0].any()


def test_both_rules_agree_at_a_fixed_point() -> None:
    cost, a, b = ragged(9, SIZES)
    eps, w = _eps(0.2, len(SIZES)), costs(10, *cost.shape)
    plan, _, _, residual, count = _cpu.solve(cost, eps, a, b, 1e-14, 2000, False)
    assert residual.max() <= 1e-13
    rules = [
        _cpu.adjoint(cost, eps, a, b, plan, count, torch.full((len(SIZES),), rule), w)
        for rule in (True, False)
    ]
    torch.testing.assert_close(rules[0][0], rules[1][0], rtol=1e-8, atol=1e-9)
    da, db = _directions(a, b, 11)
    known = b.sum(1) > 0
    slopes = [((s[1] * da).sum(1) + (s[2] * db.nan_to_num()).sum(1))[known] for s in rules]
    torch.testing.assert_close(slopes[0], slopes[1], rtol=1e-8, atol=1e-9)


@LEVELS
@MODE
def test_a_pair_that_is_not_finite_is_nan_and_alone(mode: str, level: str) -> None:
    cost, a, b = ragged(12, [(4, 4), (5, 2), (3, 6), (4, 5)])
    w = costs(13, *cost.shape)
    eps, (newton, tolerance, most) = _eps(0.1, 4), MODES[mode]
    cost[1, 0, 1], cost[2, 1, 0], cost[3, -2, 0] = torch.nan, torch.inf, torch.nan
    assert a[3, -2] == 0  # what stands where no mass is does not matter
    found = _cpu.solve(cost, eps, a, b, tolerance, most, newton, level=level)
    clean = _cpu.solve(cost.nan_to_num(0, 0, 0), eps, a, b, tolerance, most, newton, level=level)
    for one, other in zip(found[:4], clean[:4], strict=True):
        assert one[1:3].isnan().all()
        assert torch.equal(one[::3], other[::3])
    assert found[4][1:3].tolist() == [0, 0]
    for rule in (True, False):
        implicit = torch.full((4,), rule)
        slopes = _cpu.adjoint(cost, eps, a, b, found[0], found[4], implicit, w, level=level)
        assert slopes[0][[0, 3]].isfinite().all()
        assert slopes[0][1:3, 0, 0].isnan().all()


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0), (1, 0, 0)])
def test_empty_axes(shape: tuple[int, int, int]) -> None:
    pairs, n, m = shape
    cost, a, b = costs(1, *shape), costs(1, pairs, n), torch.zeros(pairs, m, dtype=torch.float64)
    found = _cpu.solve(cost, _eps(0.1, pairs), a, b, 1e-12, 50, True)
    assert [one.shape for one in found] == [shape, (pairs, n), (pairs, m), (pairs,), (pairs,)]
    implicit = torch.zeros(pairs, dtype=torch.bool)
    slopes = _cpu.adjoint(cost, _eps(0.1, pairs), a, b, found[0], found[4], implicit, cost)
    assert all(not slope.any() for slope in (*found[:3], *slopes))


def test_no_mass_takes_as_many_iterations_as_asked() -> None:
    nothing = torch.zeros(2, 3, dtype=torch.float64)
    for tolerance, count in ((1e-12, 0), (-1.0, 7)):
        found = _cpu.solve(costs(1, 2, 3, 3), _eps(0.1, 2), nothing, nothing, tolerance, 7, True)
        assert not found[0].any()
        assert found[3].tolist() == [0, 0]
        assert found[4].tolist() == [count] * 2


@pytest.fixture
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("mode", ["converged", "unrolled"])
def test_threads_change_nothing(mode: str) -> None:
    newton, tolerance, most = MODES[mode]
    cost, a, b = ragged(14, SIZES * 6)
    eps, w = _eps(0.02, len(cost)), costs(15, *cost.shape)
    results = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        found = _cpu.solve(cost, eps, a, b, tolerance, most, newton)
        implicit = (found[3] <= tolerance) & newton
        slopes = _cpu.adjoint(cost, eps, a, b, found[0], found[4], implicit, w)
        results.append((*found, *slopes))
    for one, other in itertools.pairwise(results):
        assert all(torch.equal(x, y) for x, y in zip(one, other, strict=True))


FORK = """
import os, torch
from grapheme_torch.ot import transport_plan
torch.set_num_threads(2)
cost = torch.rand(20, 30, 30, dtype=torch.float64)
one = torch.ones(20, 30, dtype=torch.float64)
before = transport_plan(cost, one, one, temperature=0.1).plan
child = os.fork()
same = torch.equal(transport_plan(cost, one, one, temperature=0.1).plan, before)
if child == 0:
    os._exit(not same)
assert same and os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="not on this system")
def test_a_forked_process_has_threads_of_its_own() -> None:
    """Those of PyTorch's team are gone there, and waiting for them would take for ever."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK], check=True, timeout=60)


@LEVELS
@pytest.mark.parametrize("scale", [1e-290, 1e-12, 1.0, 1e6, 1e250])
@pytest.mark.parametrize("newton", [True, False])
def test_never_nan_for_finite_costs(scale: float, newton: bool, level: str) -> None:
    cost, a, b = ragged(16, SIZES)
    cost = (cost - 0.3) * scale
    found = _cpu.solve(cost, _eps(0.1, len(SIZES)), a, b, 1e-9, 60, newton, level=level)
    assert all(one.isfinite().all() for one in found)
    assert (found[0] >= 0).all()
    for rule in (found[3] <= 1e-9, torch.zeros(len(SIZES), dtype=torch.bool)):
        slopes = _cpu.adjoint(
            cost, _eps(0.1, len(SIZES)), a, b, found[0], found[4], rule, cost.sign(), level=level
        )
        assert all(slope.isfinite().all() for slope in slopes)


def test_an_unknown_instruction_set_is_refused() -> None:
    cost, a, b = ragged(17, FEW)
    with pytest.raises(ValueError, match="this processor has no abacus"):
        _cpu.solve(cost, _eps(0.1, len(FEW)), a, b, 1e-9, 9, True, level="abacus")


@LEVELS
@pytest.mark.parametrize("size", [1, 3, 9, 12, 17, 20])
def test_what_a_pair_leaves_in_memory_is_not_read(size: int, level: str) -> None:
    eps, cost = torch.full((1,), 0.05, dtype=torch.float64), costs(size, 1, size, size)

    def solved(cost: Tensor) -> tuple[Tensor, ...]:
        mass = torch.ones_like(cost[:, 0])
        return _cpu.solve(cost, eps, mass, mass, 1e-12, 100, True, level=level)

    solved(torch.zeros(1, 60, 60, dtype=torch.float64))
    wanted = solved(cost)
    solved(torch.full((1, 60, 60), torch.nan, dtype=torch.float64))
    for x, y in zip(wanted, solved(cost), strict=True):
        assert torch.equal(x, y)


@pytest.mark.untyped
def test_the_kernel_is_never_given_what_does_not_fit() -> None:
    """Dtype, axes, sizes, whether it is contiguous and where it is are checked in C++, by name."""
    cost, a, b = ragged(17, FEW)
    good = {"cost": cost, "eps": _eps(0.1, len(FEW)), "a": a, "b": b}
    names = {"cost": "cost", "eps": "temperature", "a": "row_mass", "b": "column_mass"}
    for name, x in good.items():
        strided = torch.stack([x, x], -1)[..., 0]
        wrong = [x[None], x.float(), x.to("meta"), strided, *([x[:-1]] if name != "cost" else [])]
        for bad in wrong:
            match = "must be" if name == "cost" else f"`{names[name]}` must be"
            with pytest.raises(ValueError, match=match):
                _cpu.solve(**{**good, name: bad}, tolerance=1e-9, max_iterations=9, newton=True)
    found = _cpu.solve(**good, tolerance=1e-9, max_iterations=9, newton=True)
    with pytest.raises(ValueError, match=r"`implicit` must be bool \[4\], .*, got int64 \[4\]"):
        unchecked(_cpu.adjoint)(*good.values(), found[0], found[4], found[4], cost)
    with pytest.raises(ValueError, match="`grad_plan` must be"):
        unchecked(_cpu.adjoint)(*good.values(), found[0], found[4], found[3] < 1, cost[:, 1:])
