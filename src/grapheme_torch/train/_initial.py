"""A new run that starts from a trained network (fine-tuning)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from .._check import Received, refusal
from ..nn import DECIDED, GROUPS, GraphTransformNet


def network_like(trained: GraphTransformNet, options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a trained network, but for those of `options` that are not the defaults."""
    usual = defaults_of_network()
    chosen = {name: value for name, value in trained.config.items() if name not in DECIDED}
    chosen["symmetric"] = trained.config["symmetric"]
    for name, value in options.items():
        if name not in GROUPS:
            if value != usual.get(name):
                chosen[name] = value
            continue
        group = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        own = {key: one for key, one in (group or {}).items() if one != usual[name].get(key)}
        chosen[name] = {**chosen[name], **own}
    return chosen


def defaults_of_network() -> dict[str, Any]:
    """The defaults of a network's arguments."""
    usual = {name: one.default for name, one in signature(GraphTransformNet).parameters.items()}
    return usual | {name: asdict(kind()) for name, kind in GROUPS.items()}


def take_over(trained: GraphTransformNet, model: GraphTransformNet, name: str) -> None:
    """Copies weights into a network; of labels and relations those that both know, by name.

    Args:
        trained: Has the weights.
        model: Gets them. Classes that only it has stay as they are.
        name: What to call the former in a refusal.

    Raises:
        InputError: If the two differ in more than their classes.
    """
    old, new = trained.state_dict(), model.state_dict()
    labels = _rows(trained.labels, model.labels, after=int(trained.own is not None))
    relations = [(0, 0), *((a + 1, b + 1) for a, b in _rows(trained.relations, model.relations))]
    rows = {"heads.label": labels, "heads.relation": relations}
    for key in sorted(old.keys() | new.keys()):
        by_name = rows.get(key.rpartition(".")[0])
        both, first = [side[key] for side in (old, new) if key in side], int(by_name is not None)
        shapes = [tuple(tensor.shape)[first:] for tensor in both]
        if len(shapes) < 2 or shapes[0] != shapes[1]:
            remedy = "Give the same --network options, or leave them out."
            got = Received(f"another `{key}`")
            raise refusal("the network", f"be as large as that of {name}", got, remedy)
        _copy(old[key], new[key], by_name)


@torch.no_grad()
def _copy(old: Tensor, new: Tensor, rows: Sequence[tuple[int, int]] | None) -> None:
    if rows is None:
        new.copy_(old)
    elif rows:
        source, target = (list(side) for side in zip(*rows, strict=True))
        new[target] = old[source].to(new.dtype)


def _rows(old: Sequence[str], new: Sequence[str], *, after: int = 0) -> list[tuple[int, int]]:
    """Where the names that both have stand in each, and the classes after all names."""
    places = {one: k for k, one in enumerate(old)}
    shared = [(places[one], k) for k, one in enumerate(new) if one in places]
    return [*shared, *((len(old) + k, len(new) + k) for k in range(after))]
