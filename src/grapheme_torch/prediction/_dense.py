"""From padded tensors with slots to the ragged form of a prediction."""

from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from .._check import refusal, require
from .._tensors import described, is_dense
from ..graphs import check_flag
from ._kinds import check_device, check_shape, floats


def ragged(
    label: Tensor,
    relation: Tensor,
    own: dict[str, Tensor | None],
    mask: Any,
    weight: Tensor | None,
    directed: bool,
    no_node: str | None,
) -> dict[str, Any]:
    """The tensors of `Prediction.from_dense`; `own` are further ones of each slot, by name.

    Only with a mask do sizes depend on values, so that compilers know them otherwise.
    """
    _check(label, relation, own, mask, weight)
    check_flag("`directed`", directed)
    existence, label = _split(label, own["existence"], no_node)
    size, slots = existence.shape
    graph = torch.arange(size, device=label.device)[:, None]
    source, sink = _pairs(slots, directed, label.device)
    u, v = (graph * slots + source).flatten(), (graph * slots + sink).flatten()
    entry = ((graph * slots + source) * slots + sink).flatten()
    batch = graph.expand(size, slots)
    slot = {**own, "existence": existence, "label": label, "batch": batch}
    node = {name: None if x is None else x.flatten(0, 1) for name, x in slot.items()}
    if mask is not None:
        used = _booleans(mask).flatten()
        number, kept = used.cumsum(0) - 1, used[u] & used[v]
        node = {name: None if x is None else x[used] for name, x in node.items()}
        u, v, entry = number[u[kept]], number[v[kept]], entry[kept]
    return {
        **node,
        "edge_index": torch.stack([u, v]),
        "relation": relation.flatten(0, 2)[entry],
        "weight": None if weight is None else weight.flatten()[entry],
    }


def _pairs(
    slots: int, directed: bool, device: torch.device
) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"]]:
    """The two slots of each ordered pair in lexicographic order, or of each unordered pair."""
    if not directed:
        source, sink = torch.triu_indices(slots, slots, 1, device=device)
        return source, sink
    others = max(slots - 1, 1)
    number = torch.arange(slots * (slots - 1), device=device)
    source, rank = number // others, number % others
    return source, rank + (rank >= source)


def _split(label: Tensor, existence: Tensor | None, no_node: str | None) -> tuple[Tensor, Tensor]:
    """Logits that each slot holds a node, and of which class if it does."""
    known = no_node is None or (isinstance(no_node, str) and no_node in ("first", "last"))
    require(known, "`no_node`", 'be "first" or "last"', no_node, "DETR's is the last class.")
    if existence is not None:
        remedy = "Leave out `existence`, or take the class out of `label`."
        require(no_node is None, "`no_node`", "be None if `existence` is given", no_node, remedy)
        return existence, label
    if label.shape[2] < 2:
        wanted = 'have a class besides "no node"'
        raise refusal(
            "`label`", wanted, label.shape[2], "Give `existence` if it has no such class."
        )
    absent, label = (
        (label[..., -1], label[..., :-1]) if no_node == "last" else (label[..., 0], label[..., 1:])
    )
    # P(some class) / P(no node), as a logit.
    return label.logsumexp(2) - absent, label


def _booleans(mask: Tensor) -> Bool[Tensor, "B K"]:
    """The mask as booleans: zero and one mean the same, nothing else means anything."""
    if mask.dtype == torch.bool:
        return mask
    fine = (mask == 0) | (mask == 1)
    if torch.compiler.is_compiling():
        torch._assert_async(fine.all(), "`mask` must be of booleans, or of 0 and 1.")
    elif not fine.all():
        wanted = "be of booleans, or of 0 and 1 (1: in use)"
        remedy = "A mask that is added to logits is turned into one by `mask == 0`."
        raise refusal("`mask`", wanted, mask[~fine][0].item(), remedy)
    return mask == 1


def _check(
    label: Tensor,
    relation: Tensor,
    own: dict[str, Tensor | None],
    mask: Any,
    weight: Tensor | None,
) -> None:
    given = {**own, "weight": weight}
    for name, value in {"label": label, "relation": relation, **given}.items():
        if value is not None or name in ("label", "relation"):
            floats(f"`{name}`", value)
    if mask is not None and not is_dense(mask):
        raise refusal(
            "`mask`", "be a tensor of booleans", described(mask), "Try `torch.as_tensor`."
        )
    remedy = "Axes are graph, slot, class."
    check_shape("`label`", label.shape, ("graphs", "slots", "classes"), remedy)
    size, slots = label.shape[:2]
    remedy = "Give one row of logits per ordered pair of slots."
    check_shape("`relation`", relation.shape, (size, slots, slots, "relations"), remedy)
    position = own["position"]
    several = position is not None and position.ndim > 2
    for name, tensor, wanted in (
        ("existence", own["existence"], (size, slots)),
        ("mask", mask, (size, slots)),
        ("position", position, (size, slots, "coordinates") if several else (size, slots)),
        ("weight", weight, (size, slots, slots)),
        ("embedding", own["embedding"], (size, slots, "numbers")),
    ):
        if tensor is None:
            continue
        remedy = "Give one entry per slot, or per ordered pair of slots."
        check_shape(f"`{name}`", tensor.shape, wanted, remedy)
        check_device(f"`{name}`", tensor, "`label`", label.device)
