"""`python -m grapheme_torch.cli` is the command `grapheme`."""

from ._main import run

run()
