"""YAML of strangers: bounded in size, depth and aliases before anything is made of it."""

from typing import Any

import yaml

LARGEST, DEEPEST, MOST_ALIASES = 2**18, 32, 16
"""Characters of a document, levels of nesting, and uses of anchors."""


class Beyond(yaml.MarkedYAMLError):
    """A document is beyond the bounds."""


def check_yaml(text: str) -> None:
    """Refuses a document that is larger or deeper than options ever are.

    An anchor may not hold an alias: what stands for ten times itself ten times over is a bomb.

    Raises:
        Beyond: Where it is beyond the bounds.
        yaml.YAMLError: If it is no YAML.
    """
    if len(text) > LARGEST:
        raise Beyond(problem=f"{len(text)} characters, more than {LARGEST}")
    depth, aliases, anchored = 0, 0, 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            # Once within an anchor: all below counts until it closes.
            anchored += bool(anchored or event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            anchored -= bool(anchored)
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            _bound(not anchored, "an alias within an anchor", event)
            _bound(aliases <= MOST_ALIASES, f"more than {MOST_ALIASES} aliases", event)
        _bound(depth <= DEEPEST, f"more than {DEEPEST} levels of nesting", event)


def load_yaml(text: str) -> Any:
    """The value of a YAML document within the bounds of `check_yaml`; no code is run.

    Raises:
        yaml.YAMLError: If it is no YAML, beyond the bounds, or a value cannot be made.
    """
    check_yaml(text)
    try:
        return yaml.safe_load(text)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # such as 31 February
        raise yaml.YAMLError(str(error)) from None


def _bound(ok: bool, problem: str, event: yaml.Event) -> None:
    if not ok:
        raise Beyond(problem=problem, problem_mark=event.start_mark)
