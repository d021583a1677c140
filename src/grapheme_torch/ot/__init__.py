"""Entropic and exact transport between small weighted sets; knows matrices, no graph."""

from ._assignment import exact_plan as exact_plan
from ._cost import transport_cost as transport_cost
from ._forbidden import NoPlan as NoPlan
from ._operators import Backend as Backend
from ._operators import backend as backend
from ._operators import set_backend as set_backend
from ._plan import GradientMode as GradientMode
from ._plan import transport_plan as transport_plan
from ._sparse import Support as Support
from ._sparse_plan import Adjoint as Adjoint
from ._sparse_plan import SparseGradient as SparseGradient
from ._sparse_plan import SparseTransport as SparseTransport
from ._sparse_plan import sparse_plan as sparse_plan
from ._tiled import ENTRIES as ENTRIES
from ._tiled import Matrix as Matrix
from ._tiled import Reach as Reach
from ._tiled import Tile as Tile
from ._tiled import TiledCoupling as TiledCoupling
from ._tiled import TiledProblem as TiledProblem
from ._tiled_plan import Cotangent as Cotangent
from ._tiled_plan import TiledTransport as TiledTransport
from ._tiled_plan import tiled_adjoint as tiled_adjoint
from ._tiled_plan import tiled_plan as tiled_plan
from ._transport import Status as Status
from ._transport import Transport as Transport
from ._transport import status as status
