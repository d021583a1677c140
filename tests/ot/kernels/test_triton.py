"""Triton's kernels, run by its interpreter: the numbers of the PyTorch path; and they compile."""

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from grapheme_torch._check import InputError
from grapheme_torch.ot import _adjoint, _solver, backend, set_backend, transport_plan
from grapheme_torch.ot.kernels import _dispatch as _operators
from grapheme_torch.ot.kernels import _native_cpu as _cpu

from ...problems import costs, ragged

pytest.importorskip("triton", reason="Triton is not installed (extra `gpu`, Linux only)")
if not (torch.cuda.is_available() or os.environ.get("TRITON_INTERPRET") == "1"):
    pytest.skip("Triton has no GPU, and TRITON_INTERPRET is not 1", allow_module_level=True)

from grapheme_torch.ot.kernels import _triton, _triton_tiles

Four = tuple[Tensor, Tensor, Tensor, Tensor]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

SIZES = [(4, 4), (5, 2), (1, 1), (0, 3), (0, 0), (3, 9)]
WIDE = [(17, 20), (5, 2), (0, 3)]
"""More than one tile each way, in the tests of tiles."""

# name: newton, tolerance, max_iterations
MODES = {
    "converged": (True, 1e-12, 100),
    "loose": (True, 1e-3, 100),
    "few sweeps": (True, -1.0, 3),
    "capped": (True, 1e-12, 21),
    "unrolled": (False, 1e-6, 25),
    "none": (False, -1.0, 0),
}


@pytest.fixture(autouse=True)
def on_every_backend() -> Iterator[None]:
    """In place of the fixture of the folder: the kernels are called by name, beside PyTorch."""
    before = _operators._chosen
    yield
    _operators._chosen = before


@pytest.fixture
def in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solves every pair as if it were large, in tiles smaller than it."""
    monkeypatch.setattr(_triton, "LARGEST", 0)
    monkeypatch.setitem(_triton_tiles._TILE, "OTHER", 16)


def _there(problem: Four, real: torch.dtype = torch.float64) -> Four:
    cost, eps, a, b = (x.to(DEVICE, real) for x in problem)
    return cost, eps, a, b


def _solve_both(
    problem: Four, mode: str, real: torch.dtype = torch.float64
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Plan, potentials, residual, iterations: of the kernels and of PyTorch in float64."""
    newton, tolerance, most = MODES[mode]
    wanted = _solver.solve(*problem, tolerance, most, newton)
    found = _triton.solve(*_there(problem, real), tolerance, most, newton)
    return tuple(x.cpu() for x in found), tuple(wanted)


def _differentiate_both(
    problem: Four, plan: Tensor, iterations: Tensor, implicit: Tensor,
    real: torch.dtype = torch.float64,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:  # fmt: skip
    """Derivatives in cost and masses: of the kernels and of PyTorch in float64."""
    w = costs(99, *plan.shape) - 0.5
    wanted = _adjoint.adjoint(*problem, plan, iterations, implicit, w)
    found = _triton.adjoint(
        *_there(problem, real), plan.to(DEVICE, real),
        iterations.to(DEVICE), implicit.to(DEVICE), w.to(DEVICE, real),
    )  # fmt: skip
    return tuple(x.cpu() for x in found), wanted


def _assert_same(mine: tuple[Tensor, ...], other: tuple[Tensor, ...], scale: float = 1.0) -> None:
    for one, wanted in zip(mine, other, strict=True):
        torch.testing.assert_close(one, wanted, rtol=1e-9, atol=1e-9 * scale, check_dtype=True)


def _problem(seed: int, sizes: list[tuple[int, int]], temperature: float) -> Four:
    cost, a, b = ragged(seed, sizes)
    return cost, torch.full((len(sizes),), temperature, dtype=torch.float64), a, b


@pytest.mark.repeats
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.05])
def test_the_numbers_of_the_pytorch_path(temperature: float, mode: str) -> None:
    problem = _problem(1, SIZES, temperature)
    mine, other = _solve_both(problem, mode)
    _assert_same(mine, other)
    newton, tolerance, _ = MODES[mode]
    implicit = (other[3] <= tolerance) & newton
    # A gradient is a small difference of terms of the size of `plan * w / eps`.
    slopes = _differentiate_both(problem, other[0], other[4], implicit)
    _assert_same(*slopes, 1 / temperature)


@pytest.mark.usefixtures("in_tiles")
@pytest.mark.parametrize("mode", ["loose", "few sweeps", "none"])
def test_tiles_have_the_numbers_of_the_pytorch_path(mode: str) -> None:
    problem = _problem(1, WIDE, 0.1)
    mine, other = _solve_both(problem, mode)
    _assert_same(mine, other)
    newton, tolerance, _ = MODES[mode]
    implicit = (other[3] <= tolerance) & newton
    _assert_same(*_differentiate_both(problem, other[0], other[4], implicit), 10)


@pytest.mark.usefixtures("in_tiles")
def test_tiles_go_back_through_as_many_sweeps_as_each_pair_made() -> None:
    problem = _problem(2, WIDE, 0.1)
    swept = _solver.solve(*problem, 1e-2, 7, False)
    assert len(set(swept.iterations.tolist())) == len(WIDE)
    never = torch.zeros(len(WIDE), dtype=torch.bool)
    _assert_same(*_differentiate_both(problem, swept.plan, swept.iterations, never), 10)


@pytest.mark.usefixtures("in_tiles")
def test_the_host_stops_launching_when_all_pairs_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []
    half_sweep = _triton_tiles._half_sweep

    def counted(*args: Any) -> None:
        launched.append(args)
        half_sweep(*args)

    monkeypatch.setattr(_triton_tiles, "LOOK", 3)
    monkeypatch.setattr(_triton_tiles, "_half_sweep", counted)
    problem = _there(_problem(3, [(2, 2), (1, 3)], 1.0))
    found = _triton.solve(*problem, 1e-2, 1000, False)
    assert found[3].max() <= 1e-2
    assert len(launched) <= 12


@pytest.mark.repeats
def test_cold_pairs_converge_as_in_pytorch() -> None:
    """Where groups of nodes all but separate: the elimination must not lose what they exchange."""
    mine, other = _solve_both(_problem(1, [(8, 8), (9, 5)], 0.005), "converged")
    torch.testing.assert_close(mine[0], other[0], rtol=0, atol=1e-9)
    assert other[3].max() <= 1e-12
    assert mine[3].max() <= 1e-12


def test_any_masses() -> None:
    a, b = costs(5, 4, 6), costs(6, 4, 5)
    a, b = torch.where(a < 0.2, 0, a**3), torch.where(b < 0.2, 0, b**3)
    a[:, 0], b[:, 0] = a[:, 0] + 0.1, b[:, 0] + 0.1
    b = b * (a.sum(1) / b.sum(1))[:, None]
    problem = costs(7, 4, 6, 5), torch.linspace(0.05, 0.3, 4, dtype=torch.float64), a, b
    assert (a == 0).any()
    assert (b == 0).any()
    mine, other = _solve_both(problem, "converged")
    _assert_same(mine, other)
    for rule in (True, False):
        _assert_same(*_differentiate_both(problem, other[0], other[4], torch.full((4,), rule)), 20)


@pytest.mark.parametrize("mode", ["loose", "few sweeps"])
def test_in_single_precision(mode: str) -> None:
    """Sums of a few dozen terms and a linear system: four digits are what is promised."""
    problem = _problem(1, SIZES, 0.1)
    mine, other = _solve_both(problem, mode, torch.float32)
    assert mine[0].dtype == torch.float32
    for one, wanted in zip(mine[:4], other[:4], strict=True):
        torch.testing.assert_close(one.double(), wanted, rtol=0, atol=1e-4)
    implicit = other[3] <= MODES[mode][1]
    slopes = _differentiate_both(problem, other[0], other[4], implicit, torch.float32)
    torch.testing.assert_close(slopes[0][0].double(), slopes[1][0], rtol=0, atol=1e-3)


@pytest.mark.parametrize("tiles", [False, True])
def test_a_pair_that_is_not_finite_is_nan_and_alone(
    tiles: bool, request: pytest.FixtureRequest
) -> None:
    if tiles:
        request.getfixturevalue("in_tiles")
    problem = _problem(12, [(4, 4), (5, 2), (3, 6), (4, 5)], 0.1)
    clean = _triton.solve(*_there(problem), 1e-9, 4, True)
    cost = problem[0]
    cost[1, 0, 1], cost[2, 1, 0], cost[3, -2, 0] = torch.nan, torch.inf, torch.nan
    assert problem[2][3, -2] == 0  # what stands where no mass is does not matter
    found = _triton.solve(*_there(problem), 1e-9, 4, True)
    for one, other in zip(found[:4], clean[:4], strict=True):
        assert one[1:3].isnan().all()
        assert torch.equal(one[::3], other[::3])
    assert found[4].tolist()[1:3] == [0, 0]
    for rule in (True, False):
        implicit = torch.full((4,), rule)
        both = _differentiate_both(problem, found[0].cpu(), found[4].cpu(), implicit)
        for slope in both:
            assert slope[0][[0, 3]].isfinite().all()
            assert slope[0][1:3, 0, 0].isnan().all()


@pytest.mark.parametrize("scale", [1e-290, 1e6, 1e250])
def test_never_nan_for_finite_costs(scale: float) -> None:
    cost, eps, a, b = _problem(16, [(3, 3), (2, 4), (0, 3)], 0.1)
    problem = _there(((cost - 0.3) * scale, eps, a, b))
    found = _triton.solve(*problem, 1e-9, 23, True)
    assert all(one.isfinite().all() for one in found)
    for rule in (True, False):
        implicit = torch.full((3,), rule, device=DEVICE)
        slopes = _triton.adjoint(
            *problem, found[0], found[4].clamp(max=4), implicit, problem[0].sign()
        )
        assert all(slope.isfinite().all() for slope in slopes)


@pytest.mark.repeats
def test_the_plan_and_its_gradient_through_the_public_function() -> None:
    cost, a, b = ragged(2, SIZES)

    def slope(name: str, gradient: str, where: str) -> Tensor:
        set_backend(name)
        leaf = cost.to(where).requires_grad_()
        found = transport_plan(
            leaf, a.to(where), b.to(where), temperature=0.2, max_iterations=40, gradient=gradient
        )
        weight = torch.cos(3.0 * torch.arange(found.plan.numel(), device=where))
        return torch.autograd.grad((found.plan * weight.view(found.plan.shape)).sum(), leaf)[0]

    for gradient in ("exact", "unrolled"):
        mine = slope("triton", gradient, DEVICE).cpu()
        torch.testing.assert_close(mine, slope("pytorch", gradient, "cpu"), rtol=1e-9, atol=1e-9)


def test_who_solves_where(monkeypatch: pytest.MonkeyPatch) -> None:
    on_cpu = "native" if _cpu.AVAILABLE else "pytorch"
    monkeypatch.setattr(_operators, "_chosen", None)
    assert [backend(), backend("cuda"), backend("meta")] == [on_cpu, "triton", "pytorch"]
    set_backend("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    assert [backend(), backend("cuda")] == [on_cpu, "triton"]
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert [backend(), backend("cuda")] == ["triton", "triton"]
    set_backend("pytorch")
    assert [backend(), backend("cuda")] == ["pytorch", "pytorch"]


def test_triton_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    wanted = "`backend` must be available: .* \"triton\" if .* are there, got 'triton'"
    with pytest.raises(InputError, match=wanted):
        set_backend("triton")


@pytest.mark.parametrize(("version", "there"), [("3.3.1", False), ("3.7.1", True), ("4.0", True)])
def test_an_old_triton_is_none(version: str, there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    assert _operators._has_triton.__wrapped__() is there


def test_no_triton_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    assert not _operators._has_triton.__wrapped__()


@pytest.mark.repeats
def test_importing_the_package_does_not_import_triton() -> None:
    lines = (
        "import sys, torch\n"
        "from grapheme_torch.ot import backend, transport_plan\n"
        "one = torch.ones(1, 2)\n"
        "transport_plan(torch.rand(1, 2, 2), one, one, temperature=0.1)\n"
        "print(backend('cuda'), 'grapheme_torch.ot.kernels._triton' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["triton", "False"]


@pytest.mark.repeats
@pytest.mark.slow
def test_every_kernel_compiles_for_a_gpu() -> None:
    """What the interpreter runs is Python; the compiler knows a smaller language."""
    program = Path(__file__).with_name("triton_kernels.py")
    environment = {**os.environ, "TRITON_INTERPRET": "0"}
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6
