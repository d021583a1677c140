"""Options as YAML, with the reason beside each that was chosen."""

from collections.abc import Mapping
from typing import Any

import yaml

from ._choice import Choices


def commented(options: Mapping[str, Any], choices: Choices) -> str:
    """The options, nested; behind a chosen one stands why."""
    lines, above = [], list[str]()
    text = yaml.safe_dump(dict(options), sort_keys=False, allow_unicode=True, width=10**6)
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.strip().partition(":")[0]
        above = [*above[:depth], name]
        choice = choices.get(".".join(above))
        lines.append(line if choice is None else f"{line}  # {choice.reason}")
    return "\n".join(lines) + "\n"
