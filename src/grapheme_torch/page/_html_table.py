"""Tables of a page: each scrolls by itself where it is wider than the page."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from ._markup import escaped, number

BAR = "share"
"""Name of a column of bars; its cells are numbers in [0, 1]."""


def table(
    name: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str | float]],
    *,
    numbers: Collection[str] = (),
) -> Iterator[str]:
    """A table as HTML.

    Args:
        name: What it shows, for those who do not see it.
        heads: Names of the columns; `BAR` is one of bars.
        rows: The cells, plain text.
        numbers: Columns that stand on the right.
    """
    kinds = ["bars" if h == BAR else "number" if h in numbers else "label" for h in heads]
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{escaped(name)}">'
    yield "<table><thead>"
    cells = zip(kinds, heads, strict=True)
    yield "<tr>" + "".join(f'<th scope="col" class="{k}">{escaped(h)}</th>' for k, h in cells)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = zip(kinds, map(_cell, row), strict=True)
        yield "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return escaped(value)
    return f'<span class="bar" style="width:{number(100 * max(value, 0.0))}%"></span>'
