"""Two hard graphs beside each other: the edits between them, and what is measured by them."""

from ._alignment_accuracy import AlignmentAccuracy as AlignmentAccuracy
from ._alignment_accuracy import Places as Places
from ._alignment_accuracy import check_places as check_places
from ._alignment_accuracy import input_nodes as input_nodes
from ._isomorphism import find_isomorphism as find_isomorphism
from ._metrics import GraphMetrics as GraphMetrics
from ._report import KINDS as KINDS
from ._report import EdgeEdit as EdgeEdit
from ._report import EditKind as EditKind
from ._report import EditReport as EditReport
from ._report import NodeEdit as NodeEdit
from ._report import edit_report as edit_report
from ._report import edit_reports as edit_reports
