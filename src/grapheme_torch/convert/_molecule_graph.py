"""The graph of a molecule that RDKit holds already."""

from typing import Any

from torch_geometric.data import Data

from .._check import require
from ..graphs import make_graph
from ._chem import chem
from ._molecule import graph_of


def molecule_to_graph(molecule: Any, *, kekulize: bool = False) -> Data:
    """The graph of an RDKit molecule, atoms in their order; `molecule_to_smiles` gives it back.

    Nodes and edges are those that `smiles` and `sdf` write. The graph has no direction, so that
    it fits a loss with `directed=False`.

    Args:
        molecule: A sanitized `rdkit.Chem.Mol`; it stays as it is.
        kekulize: Whether aromatic bonds are written as alternating single and double ones.

    Raises:
        InputError: If it is no molecule of RDKit, or its stereo cannot be told by CIP descriptors.
        MissingExtra: If RDKit is not installed.
    """
    fits = isinstance(molecule, chem().Mol)
    remedy = "Read text first: rdkit.Chem.MolFromSmiles(text), which gives None for a bad one."
    require(fits, "`molecule`", "be a molecule of RDKit", molecule, remedy)
    return make_graph(*graph_of(molecule, kekulize=kekulize), directed=False)
