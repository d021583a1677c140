"""Options of a run that the user leaves open: chosen from what the first pass sees of the data."""

from ._choice import Asked as Asked
from ._choice import Choice as Choice
from ._choice import Choices as Choices
from ._choose import CHOSEN as CHOSEN
from ._choose import choose as choose
from ._commented import commented as commented
from ._data_facts import Facts as Facts
from ._few_pairs import MOST_SLOTS as MOST_SLOTS
from ._few_pairs import most_slots as most_slots
from ._names import flat as flat
from ._names import nested as nested
from ._observed import Observed as Observed
from ._observed import is_set as is_set
