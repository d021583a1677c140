"""The structural loss between a predicted soft graph and a target graph; knows no network."""

from ._result import StructuralLossResult as StructuralLossResult
from ._sparse import SparseLossResult as SparseLossResult
from ._sparse import SparseStructuralLoss as SparseStructuralLoss
from ._structural import StructuralLoss as StructuralLoss
from ._tiled import TiledLossResult as TiledLossResult
from ._tiled import TiledStructuralLoss as TiledStructuralLoss
from .batch._pairs import Pairs as Pairs
from .batch._pairs import pair_up as pair_up
from .layouts._certificate import Truncation as Truncation
from .layouts._padded import distance as distance
from .layouts._padded import expected_edits as expected_edits
from .terms._edges import EdgeCost as EdgeCost
from .terms._edges import edge_edits as edge_edits
