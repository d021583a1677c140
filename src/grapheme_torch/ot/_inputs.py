"""What every public function of this folder asks of its arguments, said once.

Types, shapes and devices are looked at in Python, before anything is computed. Values are looked
at where values may be looked at: inside the operators, which compilers and `vmap` leave alone.
"""

from math import inf, isnan
from numbers import Integral, Real
from typing import NoReturn, get_args

import torch
from torch import Tensor

from .._check import Received, refusal

_NUMBERS = "Give a tensor of real numbers."
_NEAR = 1e-9  # share of sums that agree, once reconciled, but for the last bits
_MOST = 2**31 - 1  # iterations; what the kernels count with holds more


def tensor(name: str, x: object, *axes: str) -> Tensor:
    """`x`, if it is a dense tensor of real numbers (whole numbers and bools too) with such axes."""
    if not isinstance(x, Tensor):
        raise refusal(name, "be a tensor", Received(type(x).__name__), _NUMBERS)
    if x.is_complex() or x.layout != torch.strided or x.is_quantized:
        kind = Received(f"{x.dtype}, {x.layout}")
        raise refusal(name, "hold real numbers, densely", kind, _NUMBERS)
    if x.ndim != len(axes):
        wanted = f"have the axes {', '.join(axes)}"
        raise refusal(name, wanted, Received(f"shape {tuple(x.shape)}"), "Add or take out axes.")
    return x


def result_dtype(cost: Tensor) -> torch.dtype:
    """The dtype of a result: that of the cost, or PyTorch's default if it counts in whole numbers.

    A plan in whole numbers would be cut down to nothing.
    """
    return cost.dtype if cost.is_floating_point() else torch.get_default_dtype()


def problem(cost: object, a: object, b: object) -> tuple[Tensor, Tensor, Tensor]:
    """Costs and masses in float64, the masses reconciled, after a look at types and shapes."""
    matrix = tensor("`cost`", cost, "pair", "row", "column")
    rows, columns = tensor("`a`", a, "pair", "row"), tensor("`b`", b, "pair", "column")
    _fits("`a`", rows, matrix, "row", 1)
    _fits("`b`", columns, matrix, "column", 2)
    return matrix.double(), *reconciled(rows, columns)


def _fits(name: str, mass: Tensor, cost: Tensor, side: str, axis: int) -> None:
    if mass.shape[0] != cost.shape[0] or mass.shape[1] != cost.shape[axis]:
        wanted = f"have shape {(cost.shape[0], cost.shape[axis])}, a mass for each {side} of `cost`"
        got = Received(f"shape {tuple(mass.shape)}")
        raise refusal(name, wanted, got, "`a` belongs to the rows of `cost`, `b` to the columns.")
    same_device(name, mass, cost)


def same_device(name: str, x: Tensor, other: Tensor, of: str = "`cost`") -> None:
    """Refuses a tensor that is not where another is."""
    if x.device != other.device:
        wanted, got = f"be on the device of {of}, {other.device}", Received(str(x.device))
        raise refusal(name, wanted, got, "Move it there.")


def reconciled(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The masses in float64, `b` scaled to the sum of `a` where the two agree but for rounding.

    Two float32 sums differ by 1e-8 or so, more than any plan may miss. The scaling is a part of
    what is differentiated.
    """
    slack = rounding(a, b)
    a, b = a.double(), b.double()
    return a, b * ratio(a.sum(1, keepdim=True), b.sum(1, keepdim=True), slack)


def ratio(of_a: Tensor, of_b: Tensor, slack: float) -> Tensor:
    """What makes the sum of `b` that of `a`; one where they are not equal but for the slack."""
    close = ((of_a - of_b).abs() <= slack * of_a) & (of_b > 0)
    return torch.where(close, of_a, 1) / torch.where(close, of_b, 1)


def rounding(*masses: Tensor) -> float:
    """By what share of themselves sums of these masses may differ: the rounding of their dtype."""
    coarse = [torch.finfo(x.dtype).eps for x in masses if x.is_floating_point()]
    return max([1e-6, *(4 * eps for eps in coarse)])


def temperatures(temperature: object, cost: Tensor, pairs: int) -> Tensor:
    """The temperature as a float64 tensor of one number, or one per pair."""
    if isinstance(temperature, Tensor):
        if temperature.is_complex() or temperature.dtype == torch.bool or temperature.is_sparse:
            got = f"a tensor of {temperature.dtype}"
            raise refusal("`temperature`", "be a real number", Received(got), "Try 0.1.")
        if temperature.ndim > 1:
            wanted, got = f"be one number, or one per pair ({pairs})", f"{tuple(temperature.shape)}"
            raise refusal("`temperature`", wanted, Received(f"shape {got}"), "Try 0.1.")
        if temperature.device.type not in ("cpu", cost.device.type):
            same_device("`temperature`", temperature, cost)
    else:
        number("`temperature`", temperature, "Try 0.1.")
    return torch.as_tensor(temperature, dtype=torch.float64, device=cost.device).reshape(-1)


def number(name: str, value: object, remedy: str) -> None:
    """Refuses what is no real number; NaN counts as one here."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise refusal(name, "be a number", value, remedy)


def options(size: int, eps: Tensor, tolerance: object, max_iterations: object) -> None:
    """Refuses options of a solver that make no sense for `size` pairs."""
    if eps.requires_grad:
        raise refusal("`temperature`", "not require a gradient", True, "Detach it.")
    if len(eps) != 1 and len(eps) != size:
        wanted = f"be one number, or one per pair ({size})"
        raise refusal("`temperature`", wanted, len(eps), "Try 0.1.")
    number("`tolerance`", tolerance, "Try 1e-12.")
    if isnan(tolerance):  # type: ignore[arg-type]
        raise refusal("`tolerance`", "be a number", tolerance, "Try 1e-12.")
    if isinstance(max_iterations, bool) or not isinstance(max_iterations, Integral):
        raise refusal("`max_iterations`", "be a whole number", max_iterations, "Try 100.")
    if int(max_iterations) < 1:
        raise refusal("`max_iterations`", "be at least 1", max_iterations, "Try 100.")
    if int(max_iterations) > _MOST:
        raise refusal("`max_iterations`", f"be at most {_MOST}", max_iterations, "Try 100.")


def mode(gradient: object, modes: object) -> None:
    """Refuses a gradient mode that is none of those of a `Literal`."""
    names = get_args(modes)
    if gradient not in names:
        listed = ", ".join(f'"{name}"' for name in names)
        raise refusal("`gradient`", f"be one of {listed}", gradient, 'Try "exact".')


def check_temperature(eps: Tensor) -> None:
    """Refuses temperatures that are not positive."""
    _check_positive(*torch.stack([_least(eps, 1.0), -_least(-eps, -1.0)]).tolist())


def _check_positive(least: float, most: float) -> None:
    if not least > 0:
        raise refusal("`temperature`", "be positive", least, "Try 0.1.")
    if not most < inf:
        raise refusal("`temperature`", "be finite", most, "Try 0.1.")


def check_values(cost: Tensor, eps: Tensor, a: Tensor, b: Tensor) -> bool:
    """Refuses temperatures and masses that make no sense; whether a cost is plus infinity.

    Args:
        cost, eps, a, b: As a solver takes them, with axes; the masses are reconciled.
    """
    forbidden = (cost == inf).any().to(eps.dtype)
    extremes = _least(eps, 1.0), -_least(-eps, -1.0), forbidden, *_extremes(a, b)
    # A GPU is waited for once.
    least, most, forbids, *found = torch.stack(extremes).tolist()
    _check_positive(least, most)
    _check_extremes(a, b, found)
    return forbids > 0


def check_masses(a: Tensor, b: Tensor) -> None:
    """Refuses masses, after `reconciled`, that are negative, not finite, or differ in sum."""
    _check_extremes(a, b, torch.stack(_extremes(a, b)).tolist())


def _extremes(a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
    """The least masses, and how far sums are apart; those that agreed are equal by now."""
    of_a, of_b = a.sum(1), b.sum(1)
    return _least(a), _least(b), gap(of_a, of_b)


def gap(of_a: Tensor, of_b: Tensor) -> Tensor:
    """Above zero if sums of masses, after `reconciled`, are not equal."""
    apart = (of_a - of_b).abs() - _NEAR * torch.maximum(of_a, of_b)
    return -_least(-apart)


def _check_extremes(a: Tensor, b: Tensor, found: list[float]) -> None:
    of_a, of_b, apart = found
    if of_a >= 0 and of_b >= 0 and apart <= 0:
        return
    check_mass("`a`", a, "row")
    check_mass("`b`", b, "column")
    sums = torch.stack([a.sum(1), b.sum(1)])
    unequal(sums[0], sums[1], int(((sums[0] - sums[1]).abs() - _NEAR * sums.amax(0)).argmax()))


def unequal(of_a: Tensor, of_b: Tensor, pair: int) -> NoReturn:
    """Refuses the masses of a pair whose sums are these."""
    got = Received(f"{of_a[pair]:.9g} and {of_b[pair]:.9g} in pair {pair}")
    raise refusal("`a` and `b`", "have equal sums", got, "Add a void row or column.")


def check_mass(name: str, mass: Tensor, side: str, pair: Tensor | None = None) -> None:
    """Refuses masses that are negative or not finite.

    Args:
        name, side: Of the masses, and of what holds them.
        mass: With axes pair and number; the latter alone if `pair` says the pair of each.
    """
    wrong = ~((mass >= 0) & (mass < inf))
    if bool(wrong.any()):
        at = wrong.nonzero()[0].tolist()
        k = at[0] if pair is None else int(pair[at[0]])
        got = Received(f"{mass[tuple(at)].item()} for {side} {at[-1]} of pair {k}")
        raise refusal(name, "be finite and not negative", got, f"Zero switches a {side} off.")


def _least(x: Tensor, default: float = 0.0) -> Tensor:
    return x.min() if x.numel() else x.new_full((), default)
