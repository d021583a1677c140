"""What an insertion or a deletion costs; a change of label or relation costs one."""

from dataclasses import dataclass, fields
from math import inf
from numbers import Real

from .._check import require


@dataclass(frozen=True)
class Prices:
    """Prices in edits, or in nats of a likelihood; finite and not negative."""

    node_insertion: float = 1.0
    node_deletion: float = 1.0
    edge_insertion: float = 1.0
    edge_deletion: float = 1.0

    def __post_init__(self) -> None:
        """Refuses a price out of range."""
        for field in fields(self):
            price = getattr(self, field.name)
            remedy = "An edit costs 1 unless you say otherwise."
            number = isinstance(price, Real) and not isinstance(price, bool)
            ok = number and 0 <= price < inf
            require(ok, f"`{field.name}`", "be finite and not negative", price, remedy)


UNIT = Prices()
