"""How nodes are aligned, and what guides that: frozen settings, checked when they are made."""

from dataclasses import dataclass, field
from math import inf
from numbers import Integral, Real
from typing import Any, Literal, get_args

from jaxtyping import Float, Int
from torch import Tensor

from .._check import refusal, require
from .._tensors import described, is_dense
from ..ot import GradientMode

Update = Literal["linear", "proximal"]


@dataclass(frozen=True, kw_only=True)
class Sinkhorn:
    """Alignment by entropic optimal transport, (E3), in rounds that linearise the edges, (E19).

    Args:
        temperature: Temperature in edits; a small one gives a sharp plan. 0 aligns exactly, as
            `Exact` does.
        slack: Share of the smaller graph, in [0, 1], that may be deleted and inserted anew. 0
            matches as many nodes as possible; 1 is the edit-distance reading.
        rounds: How often the alignment is repeated with the edge cost linearised at the last one.
        update: What a round does. "linear": aligns by the linearised cost alone; enough where
            labels or positions distinguish most nodes. "proximal": stays close to the last plan,
            the proximal-point method for fused Gromov-Wasserstein; for nodes that only the edges
            distinguish. After `k` rounds the effective temperature is `temperature / (k + 1)`.
        tolerance: A pair has converged when at most this share of its mass is in the wrong row or
            column. A negative value forces all iterations. With 1e-5 or more, float32
            predictions are compared in float32 by the native kernel; otherwise in float64.
        max_iterations: Bound on Sinkhorn sweeps plus Newton steps of a round.
        gradient: How the alignment is differentiated. "exact": the derivative of what was
            computed, converged or not. "implicit": to any order, but right only where it
            converged. "unrolled": through plain Sinkhorn. "detach": treated as constant, an
            approximation. The native kernel then ends the rounds of a pair early, with one that
            moves no entry of the plan by more than `tolerance`.

    Raises:
        InputError: If a value is out of range.
    """

    temperature: float = 0.1
    slack: float = 0.0
    rounds: int = 1
    update: Update = "linear"
    tolerance: float = 1e-12
    max_iterations: int = 100
    gradient: GradientMode = "exact"

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        check_temperature(self.temperature)
        if isinstance(self.temperature, Tensor):
            remedy = "Give it when the loss is called: loss(..., temperature=...)."
            raise refusal("`temperature`", "be one number", described(self.temperature), remedy)
        check_slack(self.slack)
        check_count("rounds", self.rounds, 0, "not be negative", "0 ignores the edges.")
        one_of("update", self.update, get_args(Update))
        ok = is_number(self.tolerance) and self.tolerance == self.tolerance
        require(ok, "`tolerance`", "be a number", self.tolerance, "Try 1e-12.")
        check_count("max_iterations", self.max_iterations, 1, "be at least 1", "Try 100.")
        one_of("gradient", self.gradient, get_args(GradientMode))


@dataclass(frozen=True, kw_only=True)
class Exact(Sinkhorn):
    """Exact alignment by linear assignment (SciPy), for evaluation; without gradient in the plan.

    Args:
        slack, rounds, update: See `Sinkhorn`.

    Raises:
        InputError: If a value is out of range.
    """

    temperature: float = field(default=0.0, init=False)
    tolerance: float = field(default=1e-12, init=False)
    max_iterations: int = field(default=100, init=False)
    gradient: GradientMode = field(default="exact", init=False)


@dataclass(frozen=True, eq=False)
class Given:
    """A plan that is used as it is; nothing is aligned.

    Args:
        plan: Mass from predicted to target node; axes: pair, predicted node, target node; the
            last row is insertion, the last column deletion (as `result.plan.padded`). A gradient
            flows through it. `residual` of the result says how far its sums are from the masses.
        slack: See `Sinkhorn`; it says which masses the plan should have.

    Raises:
        InputError: If a value is out of range.
    """

    plan: Float[Tensor, "B N1 M1"]
    slack: float = 0.0

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        check_slack(self.slack)


@dataclass(frozen=True, kw_only=True)
class Hints:
    """Costs that guide the alignment and are not part of the loss, in edits.

    Args:
        position: Cost of a step between the positions of two nodes.
        neighbours: Cost of each neighbour by which two nodes differ, (E40); used in the first
            alignment only. Helps where labels and positions do not distinguish nodes.
        noise: Standard deviation of random costs in the first alignment, drawn anew at every
            call from PyTorch's generator. It breaks the ties of symmetric targets; 0.01 is enough.
        restarts: How many draws of the noise to align with. Each pair keeps the draw with the
            smallest loss.

    Raises:
        InputError: If a value is out of range.
    """

    position: float = 0.5
    neighbours: float = 0.0
    noise: float = 0.0
    restarts: int = 1

    def __post_init__(self) -> None:
        """Refuses a value out of range."""
        for name in ("position", "neighbours", "noise"):
            not_negative(name, getattr(self, name))
        check_count("restarts", self.restarts, 1, "be at least 1", "Try 2.")
        alike = self.restarts == 1 or self.noise > 0
        require(alike, "`restarts`", "be 1 without noise", self.restarts, "Try noise=0.003.")


@dataclass(frozen=True)
class Prices:
    """What an insertion or a deletion costs; a change of label or relation costs one.

    Args:
        node_insertion, node_deletion, edge_insertion, edge_deletion: In edits; in a likelihood
            nats for what is inserted, and a factor of the nats for what is deleted.
        unmatched_edges: A factor, up to 1, of what an edge at a node that matches nothing costs.
            Such a node is not there, and neither are its edges. 0 suits queries, of which many are
            to be absent (E52), with `gradient="detach"`; plans are found as with 1.

    Raises:
        InputError: If a price is negative or not finite, or `unmatched_edges` above 1.
    """

    node_insertion: float = 1.0
    node_deletion: float = 1.0
    edge_insertion: float = 1.0
    edge_deletion: float = 1.0
    unmatched_edges: float = 1.0

    def __post_init__(self) -> None:
        """Refuses a price out of range."""
        for name, price in vars(self).items():
            ok = is_number(price) and 0 <= price < inf
            remedy = "An edit costs 1 unless you say otherwise."
            require(ok, f"`{name}`", "be finite and not negative", price, remedy)
        share = self.unmatched_edges
        require(share <= 1, "`unmatched_edges`", "be at most 1", share, "0 leaves them free.")


@dataclass(frozen=True)
class Dense:
    """Every match is allowed, and the plan is a matrix: the fastest for graphs up to hundreds."""


@dataclass(frozen=True)
class Window:
    """Only nodes close in position (of one coordinate) may be matched, (E29).

    Time and memory are of the order of the matches, so graphs may have 100,000 nodes.
    `truncation` of the result bounds what was left out.

    Args:
        steps: Largest distance between the positions of two nodes that may be matched.

    Raises:
        InputError: If it is negative.
    """

    steps: float = 8.0

    def __post_init__(self) -> None:
        """Refuses a negative distance."""
        ok = is_number(self.steps) and self.steps >= 0
        require(ok, "`steps`", "be a number that is not negative", self.steps, "Try 8 steps.")


@dataclass(frozen=True, eq=False)
class Support:
    """Only these nodes may be matched, (E29); deletion and insertion are always open.

    Args:
        index: Pairs of a predicted and a target node in the numbering of the batch, each pair
            once, in any order.
    """

    index: Int[Tensor, "2 s"]


@dataclass(frozen=True)
class Tiled:
    """Every match is allowed, and the plan is never stored, (E42)-(E45).

    The same numbers as `Dense`, to rounding, in memory of the order of nodes and edges. Pairs are
    compared one after the other: for a few large graphs. Where positions of one coordinate count,
    tiles without mass are skipped.
    """


Matches = Dense | Window | Support | Tiled


def check_temperature(temperature: Any) -> None:
    """Refuses what is no temperature; the numbers of a tensor are looked at where it is used."""
    if isinstance(temperature, Tensor):
        ok = is_dense(temperature) and temperature.is_floating_point() and temperature.ndim <= 1
        wanted = "be a number, or a floating-point tensor with one number per pair"
        require(ok, "`temperature`", wanted, described(temperature), "Try 0.1.")
        return
    not_negative("temperature", temperature, "Try 0.1.")


def check_slack(slack: Any) -> None:
    """Refuses what is no share."""
    ok = is_number(slack) and 0 <= slack <= 1
    require(ok, "`slack`", "lie in [0, 1]", slack, "1 is the edit distance.")


def not_negative(name: str, value: Any, remedy: str = "0 leaves it out.") -> None:
    """Refuses what is no finite number from zero on."""
    ok = is_number(value) and 0 <= value < inf
    negative = is_number(value) and value < 0
    wanted = "not be negative" if negative else "be a finite number that is not negative"
    require(ok, f"`{name}`", wanted, value, remedy)


def is_number(value: object) -> bool:
    """Whether it is a real number that a 64-bit number can hold."""
    whole = isinstance(value, Integral)
    fits = not whole or abs(int(value)) < 2**63  # type: ignore[call-overload]
    return isinstance(value, Real) and not isinstance(value, bool) and fits


def check_count(name: str, value: Any, least: int, bound: str, remedy: str) -> None:
    """Refuses what is no whole number from `least` on."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    require(whole, f"`{name}`", "be a whole number", value, remedy)
    require(value >= least, f"`{name}`", bound, value, remedy)
    require(value < 2**31, f"`{name}`", "be below 2^31", value, remedy)


def one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses what is not among the choices."""
    if not (isinstance(value, str) and value in choices):
        raise refusal(f"`{name}`", f"be one of {', '.join(choices)}", value, "Choose one.")
