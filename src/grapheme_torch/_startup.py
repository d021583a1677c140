"""What is known and done before PyTorch is imported."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Keeps Python's cycle collector from running.

    For imports: they make half a million objects, nearly all of them to stay. Looking through these
    again and again takes a fifth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                # The new objects are old now: else the next collection looks through them all.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def installed_version() -> str:
    """The version of the package that is installed; "0+unknown" of a source never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("grapheme-torch")
    except PackageNotFoundError:
        return "0+unknown"
