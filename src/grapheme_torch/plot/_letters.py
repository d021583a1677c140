"""Labels as the font of the pictures can draw them."""

import unicodedata

from matplotlib.font_manager import findfont, get_font

from ..layout import shortened
from ._style import FONT

_LETTERS = 9


def drawable(label: str, shown: str | None = None) -> str:
    """`label` as the font can draw it: a space as its sign, an unknown character as "U+1F642".

    Args:
        label: In full.
        shown: As it fits. Default: cut to 9 letters.
    """
    known = get_font(findfont(FONT)).get_charmap()
    visible = label.strip() and not any(unicodedata.category(c)[0] == "C" for c in label)
    if label in ("", " ") or (visible and all(ord(c) in known for c in label)):
        return shortened(label, _LETTERS) if shown is None else shown
    more = f"\n+{len(label) - 1}" if len(label) > 1 else ""
    return f"U+\n{ord(label[0]):04X}{more}"
