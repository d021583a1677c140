"""The structural loss between a predicted soft graph and a target graph; knows no network."""

from ._result import StructuralLossResult as StructuralLossResult
from ._sparse import SparseLossResult as SparseLossResult
from ._sparse import SparseStructuralLoss as SparseStructuralLoss
from ._structural import StructuralLoss as StructuralLoss
from ._tiled import TiledLossResult as TiledLossResult
from ._tiled import TiledStructuralLoss as TiledStructuralLoss
from ._truncation import Truncation as Truncation
