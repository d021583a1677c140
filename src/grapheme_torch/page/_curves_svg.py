"""Curves over the epochs of a run as SVG, on a logarithmic or a plain scale."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ._markup import escaped, number

_WIDE, _HIGH = 640.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 12.0, 10.0, 30.0
_MARKS = 6
"""Marks along an axis, about."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """One curve.

    Args:
        name: As the legend calls it.
        points: Epoch and value.
        colour: Of the line; "currentColor" is that of the text.
        dash: Lengths of strokes and gaps in pixels; none: a solid line.
        width: Of the line in pixels.
    """

    name: str
    points: Points
    colour: str
    dash: tuple[int, ...] = ()
    width: float = 1.8


def curves_svg(curves: Sequence[Curve], name: str, *, log: bool) -> str:
    """The curves as an `<svg>` element; on a logarithmic scale only values above zero are drawn.

    Args:
        curves: What is drawn.
        name: What it shows.
        log: Whether the scale is logarithmic; otherwise it goes from 0 to 1.
    """
    drawn = [(curve, _drawable(curve.points, log=log)) for curve in curves]
    every = [point for _, points in drawn for point in points]
    last = max([1.0, *(x for x, _ in every)])
    low, high = _range([y for _, y in every]) if log else (0.0, 1.0)
    told = "; ".join(f"{c.name} {p[0][1]:.4g} to {p[-1][1]:.4g}" for c, p in drawn if p)

    def place(x: float, y: float) -> tuple[float, float]:
        share = max((math.log10(y) - low) / (high - low), 0.0) if log else y
        across = _LEFT + x / last * (_WIDE - _LEFT - _RIGHT)
        return across, _HIGH - _BOTTOM - share * (_HIGH - _TOP - _BOTTOM)

    parts = [
        f'<svg class="curves" role="img" viewBox="0 0 {_WIDE:g} {_HIGH:g}"'
        f' aria-label="{escaped(f"{name}: {told}")}">'
    ]
    for value in _decades(low, high) if log else [0, 0.25, 0.5, 0.75, 1]:
        _, y = place(0, value)
        parts.append(f'<path class="grid" d="M{_LEFT:g} {number(y)}H{_WIDE - _RIGHT:g}"/>')
        parts.append(f'<text x="{_LEFT - 6:g}" y="{number(y + 4)}" class="end">{value:g}</text>')
    for epoch in _epochs(last):
        x, _ = place(epoch, 1)
        parts.append(f'<text x="{number(x)}" y="{_HIGH - 10:g}">{epoch}</text>')
    for curve, points in drawn:
        parts += _line(curve, [place(*point) for point in points])
    return "\n".join([*parts, "</svg>"])


def legend(curves: Sequence[Curve]) -> str:
    """The names of the curves beside a piece of each."""
    items = (
        f'<li><svg width="30" height="12" aria-hidden="true"><path d="M1 6H29" fill="none"'
        f' stroke="{curve.colour}" stroke-width="{curve.width}"{_dash(curve)}/></svg>'
        f"{escaped(curve.name)}</li>"
        for curve in curves
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _line(curve: Curve, points: Points) -> Iterator[str]:
    if len(points) == 1:
        x, y = points[0]
        yield f'<circle cx="{number(x)}" cy="{number(y)}" r="3" fill="{curve.colour}"/>'
    elif points:
        data = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        yield (
            f'<path d="M{data}" fill="none" stroke="{curve.colour}"'
            f' stroke-width="{curve.width}" stroke-linejoin="round"{_dash(curve)}/>'
        )


def _dash(curve: Curve) -> str:
    return f' stroke-dasharray="{" ".join(map(str, curve.dash))}"' if curve.dash else ""


def _drawable(points: Points, *, log: bool) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(y) and (y > 1e-30 or not log)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Exponents of ten around the values; what lies six decades below is drawn on the ground."""
    high = math.ceil(math.log10(max(values))) if values else 0
    low = math.floor(math.log10(min(values))) if values else -1
    return float(max(min(low, high - 1), high - 6)), float(high)


def _decades(low: float, high: float) -> list[float]:
    return [10.0**k for k in range(int(low), int(high) + 1)]


def _epochs(last: float) -> list[int]:
    step = max(1, math.ceil(last / _MARKS))
    return list(range(0, int(last) + 1, step))
