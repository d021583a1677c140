"""Finite differences against autograd, for any model and loss."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ._check import Received, refusal, require
from ._displayed import Displayed

STEP = 2e-3
"""Length of the longer of two central differences; Richardson removes its quadratic error."""
RESOLUTION = 2e-6
"""Smallest gradient, per unit of loss, of which differences in float64 see six digits, at best."""
DIGITS = 1e6
"""Six digits: a difference is trusted where it is this many times larger than its noise."""
SPREAD = 32
"""Noise of a difference over that of the loss, times `STEP`: 1.9, and room for noisier places."""

SHORTER = 7
"""How often a step is divided by four to tell a kink of the model from a wrong gradient."""


@dataclass(frozen=True)
class TensorCheck:
    """What finite differences say of one parameter tensor.

    Args:
        name: Name of the parameter.
        shape: Its shape.
        checked: Entries compared, plus one direction that mixes all of them.
        max_relative_error: Largest difference between autograd and finite differences, over the
            larger of the tensor's largest gradient and the report's `resolution`.
        norm: L2 norm of the gradient by autograd.
        status: "ok"; "wrong": beyond the bound; "not finite": a gradient, the loss, or the loss a
            step away. "untouched": autograd and finite differences are both zero, since the loss
            does not depend on the tensor.

    An error below `resolution * bound` passes, however small the gradient: finite differences
    cannot resolve it. At the default bound, take an error of a thousandth of a tensor's largest
    gradient. It is found where that gradient exceeds a thousandth of the resolution.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    max_relative_error: float
    norm: float
    status: str


@dataclass(frozen=True)
class GradientReport(Displayed):
    """Every parameter tensor of a model, checked; `str(report)` is a table.

    Args:
        rows: One per parameter tensor of model and loss that requires a gradient.
        bound: Largest relative error accepted.
        loss: The loss at which the gradient was taken.
        resolution: Smallest gradient that finite differences resolve to six digits. `RESOLUTION`
            times the loss, or more where rounding errors are larger, as when large terms cancel.
    """

    rows: tuple[TensorCheck, ...]
    bound: float
    loss: float
    resolution: float

    @property
    def max_relative_error(self) -> float:
        """The largest relative error of all tensors; NaN if a gradient is not finite."""
        errors = [row.max_relative_error for row in self.rows]
        return math.nan if any(map(math.isnan, errors)) else max(errors, default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every gradient is finite and within the bound."""
        return all(row.status in ("ok", "untouched") for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it; numbers that are not finite become None."""
        head = {"passed": self.passed, "bound": self.bound, "loss": _finite(self.loss)}
        head["resolution"] = _finite(self.resolution)
        worst = _finite(self.max_relative_error)
        rows = [{key: _finite(value) for key, value in asdict(row).items()} for row in self.rows]
        return {**head, "max_relative_error": worst, "tensors": rows}

    def __str__(self) -> str:
        """One line per tensor: name, shape, entries checked, error, norm, status."""
        width = max((len(row.name) for row in self.rows), default=4)
        head = f"{'tensor':{width}}  {'shape':>12}  checked  max rel. error        norm  status"
        lines = [
            f"{row.name:{width}}  {'x'.join(map(str, row.shape)) or '1':>12}  {row.checked:7d}"
            f"  {row.max_relative_error:14.1e}  {row.norm:10.3e}  {row.status}"
            for row in self.rows
        ]
        verdict = "passed" if self.passed else "FAILED"
        numbers = f"max relative error {self.max_relative_error:.1e}, bound {self.bound:.0e}"
        last = f"{verdict}: {numbers}, resolution {self.resolution:.1e}"
        return "\n".join([head, *lines, last])


def check_gradients(
    model: nn.Module,
    loss: Callable[[Any, Any], Any],
    batch: Any,
    target_batch: Any,
    *,
    bound: float = 1e-6,
    entries: int = 4,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> GradientReport:
    """Compares the gradient of every parameter tensor with central differences in float64.

    Model and loss are copied and set to float64, the model to evaluation mode; neither changes.
    Random numbers that they draw are the same at every call.

    Args:
        model: Any module with `model(batch)`.
        loss: `loss(model(batch), target_batch)`, a scalar tensor or one with a scalar `total`. If
            it is a module, its parameters are checked as well, named "loss.NAME".
        batch, target_batch: What model and loss take; floating-point tensors in them are
            converted to float64 by their `apply` method if they have one.
        bound: Largest relative error accepted, see `TensorCheck`.
        entries: Entries compared in a tensor: all if it has no more, else a random choice, half
            of it among those with a gradient. One random direction through all entries is
            compared in any case.
        seed: Seed of that choice.
        progress: Called with the number of tensors done and their total.

    Returns:
        A report; `report.passed` says whether all is well.

    A model may have kinks, as those of ReLU: steps get shorter until they cross none. At a kink
    itself there is no derivative. A ReLU of exactly zero is therefore reported as wrong. So is
    `Sinkhorn(gradient="detach")`, which leaves out that the plan moves. With a large `tolerance`
    a plan stops early, and the error is about as large.

    Raises:
        InputError: If no parameter requires a gradient, the loss is no scalar, `bound` is not
            positive or `entries` is less than 1.
    """
    require(0 < bound < math.inf, "`bound`", "be positive and finite", bound, "Try 1e-6.")
    require(entries >= 1, "`entries`", "be at least 1", entries, "Try 8.")
    trained = {"model": model} | ({"loss": loss} if isinstance(loss, nn.Module) else {})
    parts = copy.deepcopy(nn.ModuleDict(trained)).double()  # together: they may share a weight
    model = parts["model"].eval()
    loss = parts["loss"] if "loss" in trained else loss
    batch, target_batch = _double(batch), _double(target_batch)
    named = ((name, p) for name, p in parts.named_parameters() if p.requires_grad)
    parameters = [(name.removeprefix("model."), p) for name, p in named]
    require(
        bool(parameters), "`model`", "have parameters that require a gradient", Received("none"),
        "Unfreeze them: parameter.requires_grad_().",
    )  # fmt: skip

    def value() -> Tensor:
        with torch.random.fork_rng():  # a loss may draw noise: the same at both ends
            torch.manual_seed(seed)
            return _scalar(loss(model(batch), target_batch))

    for _, parameter in parameters:
        parameter.grad = None
    with torch.enable_grad():
        total = value()
    if total.requires_grad:  # else no parameter gets a gradient, which may be the fault
        total.backward()
    start = float(total.detach())
    generator = torch.Generator().manual_seed(seed)
    noise = _noise([p for _, p in parameters], value, generator)
    resolution = max(DIGITS * SPREAD * noise / STEP, RESOLUTION * abs(start))
    rows = []
    for done, (name, parameter) in enumerate(parameters):
        if progress is not None:
            progress(done, len(parameters))
        rows.append(_check_tensor(name, parameter, value, resolution, bound, entries, generator))
    if progress is not None:
        progress(len(parameters), len(parameters))
    return GradientReport(tuple(rows), bound, start, resolution)


def _check_tensor(
    name: str,
    parameter: nn.Parameter,
    value: Callable[[], Tensor],
    resolution: float,
    bound: float,
    entries: int,
    generator: torch.Generator,
) -> TensorCheck:
    untouched = parameter.grad is None
    grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    norm, largest = float(grad.norm()), float(grad.abs().max()) if grad.numel() else 0.0
    if not (math.isfinite(norm) and math.isfinite(resolution)):
        return TensorCheck(name, tuple(grad.shape), 0, math.nan, norm, "not finite")
    worst, seen, count = 0.0, False, 0
    for direction in _directions(grad, entries, generator):
        expected = float((grad * direction).sum())
        difference = partial(_difference, value, parameter, direction)
        measured, error = _compared(difference, expected, largest, resolution, bound)
        if not math.isfinite(measured):
            return TensorCheck(name, tuple(grad.shape), count, math.nan, norm, "not finite")
        worst = max(worst, error)
        seen |= abs(measured) > resolution * bound
        count += 1
    status = "ok" if worst <= bound else "wrong"
    if status == "ok" and (untouched or largest == 0) and not seen:
        status = "untouched"
    return TensorCheck(name, tuple(grad.shape), count, worst, norm, status)


def _compared(
    difference: Callable[[float], float],
    expected: float,
    largest: float,
    resolution: float,
    bound: float,
) -> tuple[float, float]:
    """The derivative along a direction, and the relative error of the one that is expected.

    Where they disagree, shorter steps tell a kink of the model, such as that of a ReLU, from a
    fault: a kink drops out of a step that is short enough, and a fault stays. A shorter step
    resolves less, so that it decides only where the two steps differ by more than it resolves.
    """
    measured = difference(STEP)
    scale = max(largest, abs(measured), resolution, 1e-300)
    error = abs(expected - measured) / scale
    for k in range(1, SHORTER + 1):
        if error <= bound or not math.isfinite(measured):
            break
        closer = difference(STEP / 4**k)
        scale = max(largest, abs(closer), 4**k * resolution, 1e-300)
        if abs(expected - closer) <= bound * scale < abs(measured - closer):
            return closer, abs(expected - closer) / scale
    return measured, error


def _directions(grad: Tensor, entries: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Single entries first, then one unit direction with a part along the gradient."""
    for k in _choice(grad.flatten().cpu(), entries, generator):
        one = torch.zeros_like(grad).flatten()
        one[k] = 1
        yield one.view_as(grad)
    if grad.numel() > entries:
        noise = torch.randn(grad.shape, generator=generator, dtype=grad.dtype).to(grad.device)
        direction = noise / noise.norm() + (grad / grad.norm() if grad.any() else 0)
        yield direction / direction.norm()


def _choice(grad: Tensor, entries: int, generator: torch.Generator) -> list[int]:
    if grad.numel() <= entries:
        return list(range(grad.numel()))
    anywhere = torch.randperm(grad.numel(), generator=generator)[: entries // 2]
    alive = grad.nonzero()[:, 0]
    alive = alive[torch.randperm(len(alive), generator=generator)[: entries - len(anywhere)]]
    return sorted({*anywhere.tolist(), *alive.tolist()})


@torch.no_grad()
def _difference(
    value: Callable[[], Tensor], parameter: nn.Parameter, direction: Tensor, longest: float
) -> float:
    """The derivative along a direction: two central differences, extrapolated to length zero."""
    kept = parameter.detach().clone()

    def central(step: float) -> float:
        parameter.copy_(kept + step * direction)
        above = float(value())
        parameter.copy_(kept - step * direction)
        below = float(value())
        return (above - below) / (2 * step)

    try:
        return (4 * central(longest / 2) - central(longest)) / 3
    finally:
        parameter.copy_(kept)


@torch.no_grad()
def _noise(
    parameters: list[nn.Parameter], value: Callable[[], Tensor], generator: torch.Generator
) -> float:
    """Standard deviation of the rounding errors of the loss, by fourth differences [more11].

    On a line through all parameters, too short for the loss to bend, they are all that is left.
    """
    kept = [parameter.detach().clone() for parameter in parameters]
    line = [torch.randn(old.shape, generator=generator, dtype=old.dtype) for old in kept]
    size = math.sqrt(sum(float(direction.square().sum()) for direction in line))
    values = []
    for k in range(-4, 5):
        for parameter, old, direction in zip(parameters, kept, line, strict=True):
            parameter.copy_(old + k * 1e-3 * STEP / size * direction.to(old.device))
        values.append(float(value()))
    for parameter, old in zip(parameters, kept, strict=True):
        parameter.copy_(old)
    differences = torch.tensor(values, dtype=torch.float64).diff(n=4)
    return float((differences.square().mean() / 70).sqrt())  # 70 is the sum of (1 4 6 4 1)^2


def _scalar(result: Any) -> Tensor:
    total = getattr(result, "total", result)
    if not (isinstance(total, Tensor) and total.ndim == 0):
        shape = Received(f"shape {tuple(total.shape)}") if isinstance(total, Tensor) else total
        remedy = 'Reduce it: StructuralLoss(reduction="mean").'
        raise refusal("the loss", "be a scalar tensor, or have a scalar `total`", shape, remedy)
    return total


def _double(batch: Any) -> Any:
    def convert(value: Any) -> Any:
        return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value

    if isinstance(batch, Tensor):
        return convert(batch)
    return copy.copy(batch).apply(convert) if hasattr(batch, "apply") else batch


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
