"""The plan of a pair as a heat map in SVG."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from ._markup import escaped, number

MOST_PLACES = 40
"""Nodes of a side, at most."""

_CELL, _LEFT, _TOP = 14.0, 76.0, 30.0

_FAINT = 0.02
"""Mass below which a cell is left empty."""

_NAMED = 400
"""Cells, at most, that tell their mass when they are pointed at."""


def plan_svg(plan: Float[Tensor, "n1 m1"], name: str) -> str:
    """The plan as an `<svg>` element; the last row is insertion, the last column deletion.

    Args:
        plan: Of a pair, such as `result.plan[0]`.
        name: What it shows, for those who do not see it.
    """
    return "".join(_lines(plan.detach().double().cpu(), name))


def _lines(plan: Tensor, name: str) -> Iterator[str]:
    n, m = plan.shape[0] - 1, plan.shape[1] - 1
    wide, high = _LEFT + (m + 1) * _CELL + 60, _TOP + (n + 1) * _CELL + 8
    yield (
        f'<svg class="plan" role="img" viewBox="0 0 {number(wide)} {number(high)}"'
        f' width="{number(wide)}" height="{number(high)}" aria-label="{escaped(name)}">'
    )
    yield f'<text x="{number(_LEFT)}" y="12">target node</text>'
    for j in range(0, m, 5):
        yield f'<text x="{number(_LEFT + j * _CELL + 3)}" y="{_TOP - 5:g}">{j}</text>'
    yield f'<text x="{number(_LEFT + m * _CELL + 3)}" y="{_TOP - 5:g}">deletion</text>'
    for i in range(0, n, 5):
        row = f"predicted {i}" if i == 0 else str(i)
        yield _row_name(row, i)
    yield _row_name("insertion", n)
    filled = [
        (i, j, min(mass, 1.0))
        for i, row in enumerate(plan.tolist())
        for j, mass in enumerate(row)
        if mass >= _FAINT and (i, j) != (n, m)  # what the void exchanges with itself is no match
    ]
    for i, j, mass in filled:
        yield _cell(i, j, mass, _told(i, j, mass, n, m) if len(filled) <= _NAMED else "")
    right, bottom = _LEFT + (m + 1) * _CELL, _TOP + (n + 1) * _CELL
    x, y = number(_LEFT + m * _CELL), number(_TOP + n * _CELL)
    yield f'<path class="void" d="M{x} {_TOP:g}V{number(bottom)}M{_LEFT:g} {y}H{number(right)}"/>'
    box = f'width="{number(right - _LEFT)}" height="{number(bottom - _TOP)}"'
    yield f'<rect class="edge" x="{_LEFT:g}" y="{_TOP:g}" {box}/></svg>'


def _row_name(text: str, row: int) -> str:
    y = number(_TOP + row * _CELL + 11)
    return f'<text x="{_LEFT - 5:g}" y="{y}" text-anchor="end">{text}</text>'


def _cell(i: int, j: int, mass: float, told: str) -> str:
    x, y = number(_LEFT + j * _CELL), number(_TOP + i * _CELL)
    box = f'x="{x}" y="{y}" width="{_CELL:g}" height="{_CELL:g}"'
    title = f"<title>{told}</title>" if told else ""
    return f'<rect class="cell" {box} fill-opacity="{number(mass)}">{title}</rect>'


def _told(i: int, j: int, mass: float, n: int, m: int) -> str:
    if i == n:
        return f"target node {j} inserted: mass {mass:.3f}"
    end = "deleted" if j == m else f"to target node {j}"
    return f"predicted node {i} {end}: mass {mass:.3f}"
