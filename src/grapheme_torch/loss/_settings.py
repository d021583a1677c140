"""The settings of a structural loss: which values they may have."""

from collections.abc import Mapping
from math import inf
from numbers import Integral, Real
from operator import attrgetter
from typing import Any

from torch import Tensor

from .._check import Received, refusal, require
from .._tensors import described, is_dense
from ._prices import Prices
from .terms._node_cost import NODE_KINDS, SCALE_FREE

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "criterion": ("likelihood", "edit"),
    "gradient": ("exact", "implicit", "unrolled", "cut"),
    "update": ("linear", "proximal"),
    "reduction": ("mean", "sum", "none"),
}


_PRICES = ("node_insertion", "node_deletion", "edge_insertion", "edge_deletion")

_ALL = attrgetter(
    *("alpha", "beta", "gamma", "temperature", "position_weight", "neighbour_weight", "tie_noise"),
    *("slack", "rounds", "restarts", "max_iterations", "tolerance", "node_cost", "node_scale"),
    *(*_CHOICES, "directed", *_PRICES),
)


def check_settings(loss: Any) -> None:
    """Refuses a setting that has no meaning, of a `StructuralLoss`.

    Settings may be changed after construction, so they are looked at in every call: at their
    values where one has changed.
    """
    settings = _ALL(loss)
    if settings == loss.__dict__.get("_checked"):
        return
    alpha = loss.alpha
    ok = _is_number(alpha) and 0 < alpha < inf
    require(ok, "`alpha`", "be positive and finite", alpha, "Weigh the other terms against 1.")
    for name in ("beta", "gamma", "position_weight", "neighbour_weight", "tie_noise"):
        value = getattr(loss, name)
        ok = _is_number(value) and 0 <= value < inf
        sign = "not be negative" if _is_number(value) and value < 0 else _FINITE
        require(ok, f"`{name}`", sign, value, "0 leaves the term out.")
    check_temperature(loss.temperature)
    ok = _is_number(loss.slack) and 0 <= loss.slack <= 1
    require(ok, "`slack`", "lie in [0, 1]", loss.slack, "1 is the edit distance.")
    _check_count("rounds", loss.rounds, 0, "not be negative", "0 ignores the edges.")
    _check_count("restarts", loss.restarts, 1, "be at least 1", "Try 2.")
    alike = loss.restarts == 1 or loss.tie_noise > 0
    require(alike, "`restarts`", "be 1 without noise", loss.restarts, "Try --tie_noise 0.003.")
    _check_count("max_iterations", loss.max_iterations, 1, "be at least 1", "Try 100.")
    ok = _is_number(loss.tolerance) and loss.tolerance == loss.tolerance
    require(ok, "`tolerance`", "be a number", loss.tolerance, "Try 1e-12.")
    for name, choices in _CHOICES.items():
        _one_of(name, getattr(loss, name), choices)
    if not callable(loss.node_cost):
        _one_of("node_cost", loss.node_cost, NODE_KINDS)
    _check_scale(loss.node_cost, loss.node_scale)
    flag = loss.directed is None or isinstance(loss.directed, bool)
    remedy = "None reads it off prediction and target."
    require(flag, "`directed`", "be True, False or None", loss.directed, remedy)
    loss.__dict__["_prices"] = Prices(*(getattr(loss, name) for name in _PRICES))
    loss.__dict__["_checked"] = settings


def check_temperature(temperature: Any) -> None:
    """Refuses what is no temperature; the numbers of a tensor are looked at where it is used."""
    if isinstance(temperature, Tensor):
        ok = is_dense(temperature) and temperature.is_floating_point() and temperature.ndim <= 1
        wanted = "be a number, or a floating-point tensor with one number per pair"
        require(ok, "`temperature`", wanted, described(temperature), "Try 0.1.")
        return
    ok = _is_number(temperature) and 0 <= temperature < inf
    negative = _is_number(temperature) and temperature < 0
    wanted = "not be negative" if negative else _FINITE
    require(ok, "`temperature`", wanted, temperature, "Try 0.1.")


def check_size(loss: Any, num_pairs: int) -> None:
    """Refuses to take the mean of nothing."""
    some = num_pairs > 0 or loss.reduction != "mean"
    remedy = 'Leave the batch out, or take reduction="sum".'
    require(some, "a batch", "hold a pair, to take the mean of", Received("no pairs"), remedy)


def _check_scale(node_cost: Any, scale: Any) -> None:
    if scale is None:
        return
    if isinstance(node_cost, str) and node_cost in SCALE_FREE:
        remedy = "Probabilities have no scale: leave it out."
        raise refusal("`node_scale`", f"be None with node_cost={node_cost!r}", scale, remedy)
    ok = _is_number(scale) and 0 < scale < inf
    remedy = "It is a cost, such as half a squared distance; None finds it for each pair."
    require(ok, "`node_scale`", "be positive and finite", scale, remedy)


_FINITE = "be a finite number that is not negative"


def _is_number(value: object) -> bool:
    whole = isinstance(value, Integral)
    fits = not whole or abs(int(value)) < 2**63  # type: ignore[call-overload]
    return isinstance(value, Real) and not isinstance(value, bool) and fits


def _check_count(name: str, value: Any, least: int, bound: str, remedy: str) -> None:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    require(whole, f"`{name}`", "be a whole number", value, remedy)
    require(value >= least, f"`{name}`", bound, value, remedy)
    require(value < 2**31, f"`{name}`", "be below 2^31", value, remedy)


def _one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in choices):
        raise refusal(f"`{name}`", f"be one of {', '.join(choices)}", value, "Choose one.")
