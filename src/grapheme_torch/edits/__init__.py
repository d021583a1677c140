"""Two hard graphs beside each other: the edits between them, and what is measured by them.

The metrics are loaded when they are first asked for, as torchmetrics takes most of a second.
"""

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from ._alignment_accuracy import AlignmentAccuracy as AlignmentAccuracy
    from ._metrics import GraphMetrics as GraphMetrics
    from ._pair_metric import PairMetric as PairMetric


def __getattr__(name: str) -> Any:
    if name in ("AlignmentAccuracy", "GraphMetrics", "PairMetric"):
        from . import _alignment_accuracy, _metrics, _pair_metric

        globals()["AlignmentAccuracy"] = _alignment_accuracy.AlignmentAccuracy
        globals()["GraphMetrics"] = _metrics.GraphMetrics
        globals()["PairMetric"] = _pair_metric.PairMetric
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
