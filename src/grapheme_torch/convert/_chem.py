"""RDKit, where it is installed."""

from typing import Any

from .._check import Received, refusal


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


def quiet() -> Any:
    """A context in which RDKit does not write to the screen."""
    from rdkit import rdBase

    return rdBase.BlockLogs()
