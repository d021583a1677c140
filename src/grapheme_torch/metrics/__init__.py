"""Metrics of predicted graphs, for any loop that uses torchmetrics."""

from .. import _extras as _extras

with _extras.needed("grapheme_torch.metrics", "metrics"):
    from ._alignment_accuracy import AlignmentAccuracy as AlignmentAccuracy
    from ._encoded import labelled as labelled
    from ._graph_metrics import GraphMetrics as GraphMetrics
    from ._pair_metric import PairMetric as PairMetric
