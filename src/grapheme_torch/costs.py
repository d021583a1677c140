"""Node costs and edge costs of `StructuralLoss`, and what a user's own is made of."""

from .loss import Channels as Channels
from .loss import Classes as Classes
from .loss import Compared as Compared
from .loss import EdgeCost as EdgeCost
from .loss import EdgeCosts as EdgeCosts
from .loss import Function as Function
from .loss import Gaussian as Gaussian
from .loss import MultiLabel as MultiLabel
from .loss import NodeCost as NodeCost
from .loss import SeveralRelations as SeveralRelations
from .loss import Vectors as Vectors
from .loss import squared_difference as squared_difference
