"""RDKit, where it is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._check import InputError, Received, refusal
from .._extras import needed


def chem() -> Any:
    """The module `rdkit.Chem`.

    Raises:
        MissingExtra: If RDKit is not installed.
    """
    with needed("the conversion of molecules", "chem"):
        from rdkit import Chem
    return Chem


@contextmanager
def calls() -> Iterator[None]:
    """A context for calls of RDKit: it does not write to the screen, and what it raises is refused.

    Raises:
        InputError: If RDKit raises anything else. By whatever exception is at hand it tells of
            faults of its own, and of molecules that it cannot handle. Memory is another matter.
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
