"""Metrics of predicted graphs, for any loop that uses torchmetrics."""

from .edits import AlignmentAccuracy as AlignmentAccuracy
from .edits import GraphMetrics as GraphMetrics
from .edits import PairMetric as PairMetric
