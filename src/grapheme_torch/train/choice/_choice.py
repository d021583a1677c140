"""An option that was chosen, and what the choices go by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Choice:
    """The value of an option, and why.

    Args:
        value: What the option is set to.
        reason: What of the data speaks for it, in a few words.
    """

    value: Value
    reason: str


Choices = dict[str, Choice]
"""By the full name of the option, such as "network.slots.per_node"."""

Asked = Mapping[str, Any]
"""What the user set, by the same names: these are not chosen."""


def together(reason: str, **values: Value) -> Choices:
    """Several options for one reason; two underscores stand for a dot."""
    return {name.replace("__", "."): Choice(value, reason) for name, value in values.items()}
