"""The groups of options of a run that are no part of the loss or the network."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .._check import Received, refusal
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


def run_group(name: str, given: Any, chosen: Mapping[str, Any] | None = None) -> Any:
    """A group of options, complete.

    Args:
        name: One of `RUN_GROUPS`.
        given: The group, some of its options, or None.
        chosen: Options that count where they are not given.

    Raises:
        InputError: If the group has no such option, or a value is out of range.
    """
    kind = RUN_GROUPS[name]
    if isinstance(given, kind):
        return given
    known = [entry.name for entry in fields(kind)]
    for key in given or {}:
        if key not in known:
            got, remedy = Received(str(key)), f"It has {', '.join(known)}."
            raise refusal(f"`{name}`", "have known options only", got, remedy)
    return kind(**{**(chosen or {}), **(given or {})})
