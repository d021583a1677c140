"""`python -m grapheme_torch` is the command `grapheme`."""

from .cli import run

run()
