"""Parts of the package whose libraries are installed by an extra, and the error where they are not.

`pip install grapheme-torch` brings what the loss and the network need. `pyproject.toml` says which
extra brings what else.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ._check import InputError

PACKAGE = "grapheme_torch"


class MissingExtra(ImportError, InputError):
    """A library of an extra is not installed; the message names the extra."""


@contextmanager
def needed(what: str, extra: str) -> Iterator[None]:
    """An import within that fails for want of a library raises `MissingExtra`.

    Args:
        what: The part of the package that imports it, as a user calls it.
        extra: The extra that installs it. Of several contexts, one in the other, the outermost
            counts: its extra holds the others.

    Raises:
        MissingExtra: If a library is not installed.
    """
    try:
        yield
    except MissingExtra as error:
        raise _missing(what, extra, error) from None
    except ImportError as error:
        if _library(error) in ("", PACKAGE):  # a fault of ours
            raise
        raise _missing(what, extra, error) from error


def _library(error: ImportError) -> str:
    return (error.name or "").split(".")[0]


def _missing(what: str, extra: str, error: ImportError) -> MissingExtra:
    name = _library(error)
    absent = isinstance(error, ModuleNotFoundError | MissingExtra)
    state = "which is not installed" if absent else f"which cannot be imported ({error})"
    install = f"pip install 'grapheme-torch[{extra}]'"
    return MissingExtra(f"{what} needs {name}, {state}. Install it: {install}.", name=name)
