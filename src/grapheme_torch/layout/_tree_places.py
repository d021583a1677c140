"""Trees: in layers below their root, or around it where the layers would be too wide.

No two edges cross: subtrees stand beside each other, as in the drawings of [reingold81].
"""

import math
from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
from jaxtyping import Float

_WIDEST = 48
"""Nodes beside each other in a layer, at most; a wider tree is drawn around its root."""

Children = Mapping[int, Sequence[int]]


def tree_places(tree: "nx.Graph[int]", root: int) -> tuple[Float[np.ndarray, "n 2"], bool]:
    """Places of the nodes of a tree, in the order of `tree.nodes`; and whether it is in layers.

    Args:
        tree: Without direction.
        root: The node at the top, or in the middle.
    """
    children = {root: sorted(tree[root])}
    layers = [[root]]
    while layers[-1]:
        layers.append([])
        for node in layers[-2]:
            for child in children[node]:
                children[child] = sorted(other for other in tree[child] if other != node)
                layers[-1].append(child)
    x = _tidy(children, layers)
    depth = {node: level for level, layer in enumerate(layers) for node in layer}
    width = max(x.values()) - min(x.values())
    if width > _WIDEST:
        return _around(children, layers, list(tree)), False
    return np.array([[x[node], 1.25 * depth[node]] for node in tree]), True


def tree_root(tree: "nx.Graph[int]", heads: Sequence[int]) -> int:
    """The node from which all edges lead away if there is one, else one in the middle."""
    return heads[0] if len(heads) == 1 else min(nx.center(tree))


def _tidy(children: Children, layers: Sequence[Sequence[int]]) -> dict[int, float]:
    """The place of each node in its layer: above the middle of its children, which stand close."""
    offset: dict[int, float] = {}
    # Of each subtree the least and the largest place in every layer, seen from its root.
    outline: dict[int, list[tuple[float, float]]] = {}
    for layer in reversed(layers):
        for node in layer:
            outline[node] = _joined(node, children, outline, offset)
    x = {layers[0][0]: 0.0}
    for layer in layers:
        for node in layer:
            x |= {child: x[node] + offset[child] for child in children[node]}
    return x


def _joined(
    node: int,
    children: Children,
    outline: dict[int, list[tuple[float, float]]],
    offset: dict[int, float],
) -> list[tuple[float, float]]:
    """Sets the subtrees of the children beside each other and tells the outline of them all."""
    whole: list[tuple[float, float]] = []
    shifts: list[float] = []
    for child in children[node]:
        own = outline.pop(child)
        shift = max((a[1] - b[0] + 1 for a, b in zip(whole, own, strict=False)), default=0.0)
        own = [(low + shift, high + shift) for low, high in own]
        both = [(a[0], b[1]) for a, b in zip(whole, own, strict=False)]
        whole = both + whole[len(both) :] + own[len(both) :]
        shifts.append(shift)
    middle = (shifts[0] + shifts[-1]) / 2 if shifts else 0.0
    offset |= {child: shift - middle for child, shift in zip(children[node], shifts, strict=True)}
    return [(0.0, 0.0), *((low - middle, high - middle) for low, high in whole)]


def _around(
    children: Children, layers: Sequence[Sequence[int]], nodes: Sequence[int]
) -> Float[np.ndarray, "n 2"]:
    """Each layer on a circle, each subtree in a sector of its own."""
    leaves: dict[int, int] = {}
    for layer in reversed(layers):
        for node in layer:
            leaves[node] = sum(leaves[child] for child in children[node]) or 1
    sector = {layers[0][0]: (0.0, 2 * math.pi)}
    for depth, layer in enumerate(layers):
        # A child further away from its parent's direction would be joined across the inner circle.
        widest = 2 * math.acos(depth / (depth + 1)) if depth else 2 * math.pi
        for node in layer:
            start, size = sector[node]
            share = min(size, widest)
            start += (size - share) / 2
            for child in children[node]:
                part = share * leaves[child] / leaves[node]
                sector[child] = (start, part)
                start += part
    angle = {node: start + size / 2 for node, (start, size) in sector.items()}
    step = max([1.0, *(_step(layer, k, angle) for k, layer in enumerate(layers) if k)])
    depth_of = {node: k for k, layer in enumerate(layers) for node in layer}
    return np.array(
        [
            [step * depth_of[k] * math.sin(angle[k]), -step * depth_of[k] * math.cos(angle[k])]
            for k in nodes
        ]
    )


def _step(layer: Sequence[int], depth: int, angles: Mapping[int, float]) -> float:
    """The least distance of circles at which the nodes of this one do not touch."""
    turned = sorted(angles[node] for node in layer)
    after = [*turned[1:], *(angle + 2 * math.pi for angle in turned[:1])]
    gaps = [b - a for a, b in zip(turned, after, strict=True)]
    nearest = min(gaps, default=math.pi)
    return 0.0 if nearest >= math.pi else 1 / (2 * depth * math.sin(nearest / 2))
