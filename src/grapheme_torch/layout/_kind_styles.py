"""What the kinds of nodes, edges and links look like: never told by colour alone."""

from dataclasses import dataclass

INK, PALE = "#2B303A", "#C9CED8"

# Colours that colour-blind readers tell apart (Okabe and Ito).
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#7A8699"


@dataclass(frozen=True)
class KindStyle:
    """How a kind is drawn.

    Args:
        colour: Of its lines.
        mark: Written at the corner of a node; "" if nothing is.
        dash: Lengths of strokes and gaps in pixels; none: a solid line.
        name: As the legend says it.
    """

    colour: str
    mark: str
    dash: tuple[int, ...]
    name: str


KIND_STYLES = {
    "plain": KindStyle(GREY, "", (), "a node or edge"),
    "kept": KindStyle(GREY, "", (), "kept"),
    "relabelled": KindStyle(ORANGE, "~", (7, 3), "relabelled"),
    "inserted": KindStyle(GREEN, "+", (), "inserted"),
    "deleted": KindStyle(RED, "\N{MINUS SIGN}", (2, 2), "deleted"),
    "unused": KindStyle(GREY, "", (1, 3), "unused"),
    "copied": KindStyle(BLUE, "", (), "copied"),
    "generated": KindStyle(BLUE, "", (4, 4), "generated"),
}
"""By word: edits (see `EditReport`), nodes left out, and where labels are from."""
