"""Where the atoms of a molecule stand, as chemists draw them."""

from typing import Any

from torch_geometric.data import Data

from .._check import InputError
from ._chem import calls, chem
from ._document import read_graph
from ._molecule import bare_molecule


def molecule_places(graph: Data) -> list[tuple[float, float]] | None:
    """Where the atoms of a molecule graph stand in RDKit's drawing of it.

    The molecule need not be possible: a prediction may have an atom with too many bonds.

    Args:
        graph: A graph with labels, as `smiles` and `sdf` write them.

    Returns:
        To the right and downwards, in the unit of RDKit (a bond has 1.5); None if the graph has no
        edge, is no molecule, or RDKit is not installed.
    """
    labels, edges = read_graph(graph)
    if not edges:
        return None
    try:
        with calls():
            return _drawn(bare_molecule(labels, edges))
    except (InputError, ImportError):
        return None


def _drawn(mol: Any) -> list[tuple[float, float]]:
    from rdkit.Chem import rdDepictor

    mol.UpdatePropertyCache(strict=False)
    chem().FastFindRings(mol)
    rdDepictor.Compute2DCoords(mol)
    places = mol.GetConformer().GetPositions().tolist()
    return [(x, -y) for x, y, _ in places]
