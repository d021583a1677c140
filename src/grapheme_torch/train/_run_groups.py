"""The groups of options of a run that are no part of the loss or the network."""

from ._checkpoints import Checkpointing
from ._monitoring import Monitoring
from ._numerics import Numerics
from ._optimization import Optimization
from ._stopping import Stopping

RUN_GROUPS: dict[str, type] = {
    "optimization": Optimization,
    "stopping": Stopping,
    "checkpoint": Checkpointing,
    "numerics": Numerics,
    "monitoring": Monitoring,
}
"""By the names of the arguments of `train`."""
