"""Metrics of predicted graphs, for any loop that uses torchmetrics."""

from ._alignment_accuracy import AlignmentAccuracy as AlignmentAccuracy
from ._graph_metrics import GraphMetrics as GraphMetrics
from ._pair_metric import PairMetric as PairMetric
