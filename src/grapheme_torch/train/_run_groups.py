"""The groups of options of a run that are no part of the loss or the network."""

from typing import Any

from ._checkpoints import Checkpointing
from ._monitoring import Monitoring
from ._numerics import Numerics
from ._optimization import Optimization
from ._recombination import Recombination
from ._stopping import Stopping

RUN_GROUPS: dict[str, type] = {
    "optimization": Optimization,
    "recombination": Recombination,
    "stopping": Stopping,
    "checkpoint": Checkpointing,
    "numerics": Numerics,
    "monitoring": Monitoring,
}
"""By the names of the arguments of `train`."""


def run_groups(*given: Any) -> dict[str, Any]:
    """The groups by name, in the order of `RUN_GROUPS`; the usual one where None is given."""
    each = zip(RUN_GROUPS.items(), given, strict=True)
    return {name: kind() if one is None else one for (name, kind), one in each}
