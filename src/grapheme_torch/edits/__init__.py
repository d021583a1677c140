"""Two hard graphs beside each other: which node became which, and the edits between them."""

from ._colours import refinements as refinements
from ._colours import stable_colours as stable_colours
from ._edit_costs import EditCosts as EditCosts
from ._edit_costs import Substitution as Substitution
from ._isomorphism import find_isomorphism as find_isomorphism
from ._node_places import Places as Places
from ._node_places import check_places as check_places
from ._node_places import input_nodes as input_nodes
from ._report import KINDS as KINDS
from ._report import EdgeEdit as EdgeEdit
from ._report import EditKind as EditKind
from ._report import EditReport as EditReport
from ._report import NodeEdit as NodeEdit
from ._report import edit_report as edit_report
from ._report import edit_reports as edit_reports
