"""Entropic and exact transport between small weighted sets; knows matrices, no graph."""

from ._assignment import exact_plan as exact_plan
from ._plan import GradientMode as GradientMode
from ._plan import Status as Status
from ._plan import Transport as Transport
from ._plan import status as status
from ._plan import transport_plan as transport_plan
