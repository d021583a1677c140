"""RDKit, where it is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._check import InputError, Received, refusal


def chem() -> Any:
    """The module `rdkit.Chem`.

    Raises:
        InputError: If RDKit is not installed.
    """
    try:
        from rdkit import Chem
    except ImportError as error:
        remedy = "Install it: pip install 'grapheme-torch[chem]'."
        found = Received(str(error))
        raise refusal("RDKit, which reads molecules,", "be installed", found, remedy) from None
    return Chem


@contextmanager
def calls() -> Iterator[None]:
    """A context for calls of RDKit: it does not write to the screen, and what it raises is refused.

    Raises:
        InputError: If RDKit raises anything else: it tells of faults of its own, and of molecules
            that it cannot handle, by whatever exception is at hand. Memory is another matter.
    """
    from rdkit import rdBase

    with rdBase.BlockLogs():
        try:
            yield
        except (InputError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - the classes are not documented
            text = " ".join(str(error).split()) or type(error).__name__
            remedy = "Check the molecule, or leave it out."
            found = Received(f"{type(error).__name__}: {text[:200]}")
            raise refusal("the molecule", "be one that RDKit handles", found, remedy) from None
