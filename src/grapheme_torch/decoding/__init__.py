"""From a soft graph to a hard one."""

from ._decode import Constraint as Constraint
from ._decode import decode as decode
