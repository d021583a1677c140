"""Options by their full names, and as they are nested in a file."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any


def flat(options: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Options by their full names; what a group that is an object holds, too."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        full = f"{above}{name}"
        if is_dataclass(value) and not isinstance(value, type):
            value = asdict(value)
        if isinstance(value, Mapping):
            found |= flat(value, f"{full}.")
        else:
            found[full] = value
    return found


def nested(options: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`."""
    found: dict[str, Any] = {}
    for full, value in options.items():
        *groups, name = full.split(".")
        at = found
        for group in groups:
            at = at.setdefault(group, {})
        at[name] = value
    return found
