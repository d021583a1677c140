"""The curves that edges and links are drawn as, in pixels."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

Point = tuple[float, float]

Route = tuple[Point, ...]
"""A Bezier curve by its control points: two (a straight line), three or four."""

_FLAT = 4.0
"""Width by height of an edge that would pass many nodes of the lines that it joins."""

Shape = tuple[float, float, float, float]
"""A node as a box with round ends: centre, half of its width, half of its height."""


def edge_routes(shapes: Sequence[Shape], ends: Sequence[tuple[int, int]]) -> list[Route]:
    """The curve of each edge, from the border of its source to that of its sink.

    Straight where that is clear. Edges between the same two nodes, and those that would pass
    through a third one, bend to the side.
    """
    bends = _bends(shapes, ends)
    return [_edge(shapes[u], shapes[v], bend) for (u, v), bend in zip(ends, bends, strict=True)]


def link_route(start: Shape, end: Shape, *, sideways: bool) -> Route:
    """The curve from a node to one of another graph, which stands below or to the right."""
    (x, y, wide, high), (x2, y2, wide2, high2) = start, end
    if sideways:
        x, x2, middle = x + wide, x2 - wide2, (x + x2) / 2
        return (x, y), (middle, y), (middle, y2), (x2, y2)
    y, y2, middle = y + high, y2 - high2, (y + y2) / 2
    return (x, y), (x, middle), (x2, middle), (x2, y2)


def point_at(route: Route, t: float) -> Point:
    """The point of a curve at `t` in [0, 1]."""
    points = list(route)
    while len(points) > 1:
        points = [_mixed(a, b, t) for a, b in pairwise(points)]
    return points[0]


def beside(route: Route, offset: float) -> Route:
    """The curve moved to its side by some pixels."""
    (x, y), (x2, y2) = route[0], route[-1]
    length = max(math.dist((x, y), (x2, y2)), 1e-9)
    across = -(y2 - y) / length * offset, (x2 - x) / length * offset
    return tuple((a + across[0], b + across[1]) for a, b in route)


def _bends(shapes: Sequence[Shape], ends: Sequence[tuple[int, int]]) -> list[float]:
    """How far the middle of each edge stands to the left of the straight line, in pixels."""
    several = Counter(frozenset(pair) for pair in ends)
    met: Counter[frozenset[int]] = Counter()
    bends = []
    for (u, v), blocked in zip(ends, _blocked(shapes, ends), strict=True):
        pair = frozenset((u, v))
        length = math.dist(shapes[u][:2], shapes[v][:2])
        bend = 14 + 0.1 * length if blocked else 0.0
        if several[pair] > 1:
            # Counted from the same end, so that the two directions part.
            place = met[pair] - (several[pair] - 1) / 2
            bend = (bend + 14 * abs(place)) * (1 if place >= 0 else -1) * (1 if u < v else -1)
            met[pair] += 1
        bends.append(bend)
    return bends


def _blocked(shapes: Sequence[Shape], ends: Sequence[tuple[int, int]]) -> list[bool]:
    """Whether the straight line of each edge passes through a node that is not its own."""
    if not ends:
        return []
    boxes, pairs = np.array(shapes), np.array(ends)
    start, end = boxes[pairs[:, 0], :2], boxes[pairs[:, 1], :2]
    along = end - start
    length = (along**2).sum(1).clip(1e-9)
    found = np.zeros(len(pairs), dtype=bool)
    for k, (x, y, wide, high) in enumerate(shapes):
        offset = np.array([x, y]) - start
        t = ((offset * along).sum(1) / length).clip(0, 1)
        away = np.abs(offset - t[:, None] * along)
        near = (away[:, 0] < wide + 1) & (away[:, 1] < high + 1)
        found |= near & (pairs != k).all(1)
    return found.tolist()


def _edge(start: Shape, end: Shape, bend: float) -> Route:
    if start == end:
        return _loop(start)
    across, down = end[0] - start[0], end[1] - start[1]
    if bend and abs(across) > _FLAT * abs(down) and abs(down) > start[3] + end[3] + 1:
        # From line to line of a text: along the gap between the two.
        upper, lower = (start, end) if down > 0 else (end, start)
        route = link_route(upper, lower, sideways=False)
        return route if down > 0 else route[::-1]
    return _between(start, end, bend)


def _between(start: Shape, end: Shape, bend: float) -> Route:
    a, b = start[:2], end[:2]
    route: Route = (a, b)
    if bend:
        length = max(math.dist(a, b), 1e-9)
        left = (b[1] - a[1]) / length, -(b[0] - a[0]) / length
        middle = _mixed(a, b, 0.5)
        # The middle of the curve is half as far out as its control point.
        route = a, (middle[0] + 2 * bend * left[0], middle[1] + 2 * bend * left[1]), b
    route = _cut(route, lambda point: _inside(start, point))
    return _cut(route[::-1], lambda point: _inside(end, point))[::-1]


def _loop(node: Shape) -> Route:
    x, y, _, high = node
    top = y - 0.85 * high
    return (x - 6, top), (x - 24, top - 30), (x + 24, top - 30), (x + 6, top)


def _cut(route: Route, inside: Callable[[Point], bool]) -> Route:
    """The curve without its beginning, as far as that is inside of a node."""
    low, high = 0.0, 1.0
    if inside(route[-1]):  # the nodes overlap
        return route
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(point_at(route, middle)) else (low, middle)
    return _from(route, high)


def _from(route: Route, t: float) -> Route:
    """The part of a curve from `t` on, by de Casteljau's algorithm."""
    points, last = list(route), [route[-1]]
    while len(points) > 1:
        points = [_mixed(a, b, t) for a, b in pairwise(points)]
        last.append(points[-1])
    return tuple(reversed(last))


def _inside(node: Shape, point: Point) -> bool:
    x, y, wide, high = node
    # A box whose ends are half circles: a line segment with all points near it.
    side = max(abs(point[0] - x) - (wide - high), 0.0)
    return math.hypot(side, point[1] - y) < high + 1


def _mixed(a: Point, b: Point, t: float) -> Point:
    return a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])
