"""Text as it may stand in HTML and SVG, whatever it holds."""

import html
import re

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
"""Characters that XML cannot hold, or browsers do not show."""


def escaped(text: str) -> str:
    """`text` for an element or an attribute in double quotes; control characters spelt out."""
    return html.escape(_FORBIDDEN.sub(_spelt, text)).replace("\n", "&#10;")


def number(value: float) -> str:
    """A length with as many digits as a screen shows."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def _spelt(found: re.Match[str]) -> str:
    return f"U+{ord(found[0]):04X}"
