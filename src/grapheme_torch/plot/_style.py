"""What all pictures share: colours, the font, and how a file is written."""

import os
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from .._check import require
from .._files import replacing

FONT = FontProperties(family="DejaVu Sans")
"""The font that comes with matplotlib, so that a picture looks the same everywhere."""


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    suffix = Path(path).suffix.lstrip(".").lower()
    known = figure.canvas.get_supported_filetypes()
    remedy = "Name a file that ends in .png, .svg or .pdf."
    require(suffix in known, f"{path}: the suffix", "name a format of matplotlib", suffix, remedy)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=suffix)
