"""From a soft graph to a hard one."""

from ._accepted import decode_accepted as decode_accepted
from ._answer import Answer as Answer
from ._answer import Answers as Answers
from ._bounds import Bounds as Bounds
from ._bounds import BoundsSeen as BoundsSeen
from ._bounds import Constraint as Constraint
from ._decode import Decoded as Decoded
from ._decode import decode as decode
from ._decode import decode_parts as decode_parts
from ._nbest import check_scoring as check_scoring
from ._nbest import decode_nbest as decode_nbest
