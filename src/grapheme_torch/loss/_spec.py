"""What a structural loss is: all its settings, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal, get_args

from torch import nn

from .._check import Received, refusal, require
from ._aligner import Aligner, Learned
from ._options import (
    Dense,
    Given,
    Hints,
    Matches,
    Prices,
    Sinkhorn,
    Tiled,
    is_number,
    not_negative,
    one_of,
)
from .terms._edge_cost import EdgeCost
from .terms._node_cost import Classes, NodeCost

Criterion = Literal["likelihood", "edit"]
Reduction = Literal["mean", "sum", "none"]
Alignment = Sinkhorn | Given | Aligner
OWN = ("total", "node", "edge", "clique", "margins")
"""Names that no further term may have."""


@dataclass(frozen=True, eq=False)
class Spec:
    """The settings of a `StructuralLoss`, see there."""

    alpha: float = 1.0
    beta: float = 0.5
    gamma: float = 2.0
    criterion: Criterion = "likelihood"
    node_cost: NodeCost = field(default_factory=Classes)
    edge_cost: EdgeCost = field(default_factory=EdgeCost)
    prices: Prices = field(default_factory=Prices)
    alignment: Alignment = field(default_factory=Sinkhorn)
    hints: Hints = field(default_factory=Hints)
    matches: Matches = field(default_factory=Dense)
    directed: bool | None = None
    reduction: Reduction = "mean"
    terms: Mapping[str, tuple[float, nn.Module]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses settings that have no meaning."""
        ok = is_number(self.alpha) and 0 < self.alpha < inf
        remedy = "Weigh the other terms against 1."
        require(ok, "`alpha`", "be positive and finite", self.alpha, remedy)
        for name in ("beta", "gamma"):
            not_negative(name, getattr(self, name), "0 leaves the term out.")
        one_of("criterion", self.criterion, get_args(Criterion))
        one_of("reduction", self.reduction, get_args(Reduction))
        self._check_kinds()
        flag = self.directed is None or isinstance(self.directed, bool)
        remedy = "None reads it off prediction and target."
        require(flag, "`directed`", "be True, False or None", self.directed, remedy)
        _check_terms(self.terms)
        check_layout(self)

    def _check_kinds(self) -> None:
        for name, kind, remedy in _KINDS:
            value = getattr(self, name)
            if not isinstance(value, kind):
                names = getattr(kind, "__name__", None) or " or ".join(
                    one.__name__ for one in get_args(kind)
                )
                got = Received(f"{value!r:.60}")
                raise refusal(f"`{name}`", f"be a `{names}`", got, remedy)

    @property
    def edit(self) -> bool:
        """Whether edits are charged, not nats."""
        return self.criterion == "edit"

    @property
    def learned(self) -> Learned | None:
        """The alignment, if it goes by learnt scores."""
        return self.alignment if isinstance(self.alignment, Learned) else None

    @property
    def solver(self) -> Sinkhorn | None:
        """How plans are found, if by transport."""
        if self.learned is not None:
            return self.learned.solver
        return self.alignment if isinstance(self.alignment, Sinkhorn) else None

    @property
    def rounds(self) -> int:
        """Rounds that are made: edges that weigh nothing do not steer."""
        chosen = self.alignment
        return chosen.rounds if isinstance(chosen, Sinkhorn | Learned) and self.beta else 0

    @property
    def proximal(self) -> bool:
        """Whether rounds add up their costs."""
        return self.solver is not None and self.solver.update == "proximal"

    @property
    def detached(self) -> bool:
        """Whether the alignment counts as constant."""
        return self.solver is not None and self.solver.gradient == "detach"

    @property
    def margins(self) -> float:
        """Weight of the margins of a plan, which are a term where it is positive."""
        return 0.0 if self.learned is None else self.learned.margins

    @property
    def prior(self) -> bool:
        """Whether learnt scores are part of the cost of several alignments."""
        return self.learned is not None and self.learned.use == "prior" and self.rounds > 0

    @property
    def reads_embedding(self) -> bool:
        """Whether a matcher or a term reads what the network knows of each node."""
        readers = [term for _, term in self.terms.values()]
        readers += [] if self.learned is None else [self.learned.matcher]
        return any(getattr(one, "reads_embedding", False) for one in readers)

    @property
    def refund(self) -> float:
        """Share of the charge for edges at nodes that match nothing that is taken back."""
        return 1 - self.prices.unmatched_edges

    @property
    def weights(self) -> dict[str, float]:
        """What each term is multiplied by."""
        own = {"node": self.alpha, "edge": self.beta, "clique": self.gamma}
        own |= {"margins": self.margins} if self.margins else {}
        return own | {name: weight for name, (weight, _) in self.terms.items()}

    def weighted(self, terms: Mapping[str, Any]) -> Any:
        """The sum of the terms that there are, by their weights: the total, of all of them."""
        node, *others = ((name, x) for name, x in self.weights.items() if name in terms)
        total = node[1] * terms[node[0]]
        for name, weight in others:
            total = total + weight * terms[name]
        return total


def check_layout(spec: Spec) -> None:
    """Refuses settings that need the matrix of all matches where it is not made."""
    if isinstance(spec.matches, Dense):
        return
    way, alignment = type(spec.matches).__name__, spec.alignment
    remedy = "Use matches=Dense()."
    if not isinstance(alignment, Sinkhorn):
        wanted = f"be a `Sinkhorn` with matches={way}"
        raise refusal("`alignment`", wanted, Received(type(alignment).__name__), remedy)
    known = alignment.gradient != "implicit"
    wanted = f"not be implicit with matches={way}"
    second = 'Second derivatives need matches=Dense(); take "exact".'
    require(known, "`gradient`", wanted, alignment.gradient, second)
    warm = alignment.temperature > 0
    require(warm, "`temperature`", f"be positive with matches={way}", alignment.temperature, remedy)
    for name in ("neighbours", "noise"):
        value = getattr(spec.hints, name)
        require(value == 0, f"`{name}`", f"be 0 with matches={way}", value, remedy)
    share = spec.prices.unmatched_edges
    require(share == 1, "`unmatched_edges`", f"be 1 with matches={way}", share, remedy)
    if isinstance(spec.matches, Tiled):
        none = not spec.terms
        require(none, "`terms`", "be left out with matches=Tiled", list(spec.terms), remedy)


def _check_terms(terms: Any) -> None:
    """Refuses further terms that are none: each is a weight and a module."""
    remedy = 'Give a mapping such as {"triangles": (0.1, Triangles())}.'
    if not isinstance(terms, Mapping):
        raise refusal("`terms`", "be a mapping of names", Received(type(terms).__name__), remedy)
    for name, value in terms.items():
        ok = isinstance(name, str) and name.isidentifier() and name not in OWN
        require(ok, "`terms`", "have names of their own, each an identifier", name, remedy)
        pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], nn.Module)
        require(pair, f"`terms[{name!r}]`", "be a weight and a `Term`", value, remedy)
        not_negative(f"terms[{name!r}]", value[0], "0 reports the term and charges nothing.")


_KINDS: tuple[tuple[str, Any, str], ...] = (
    ("edge_cost", EdgeCost, "None is the cost of relations that exclude each other."),
    ("prices", Prices, "Make one: Prices(node_insertion=1.0)."),
    ("alignment", Alignment, "Make one: Sinkhorn(temperature=0.1)."),
    ("hints", Hints, "Make one: Hints(position=0.5)."),
    ("matches", Matches, "Make one: Dense(), Window(8), Support(index) or Tiled()."),
)
