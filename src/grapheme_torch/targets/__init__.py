"""Targets from what people have: padded tensors, lists of edges, networkx graphs, lists of `Data`.

A target is a PyTorch Geometric `Batch` with a class `y` for each node and `edge_index`. It may have
`edge_type` (relations, from 1 on), `edge_weight`, `position` and `directed`.
"""

from ._from_dense import target_from_dense as target_from_dense
from ._from_edges import target_from_edges as target_from_edges
from ._from_networkx import target_from_networkx as target_from_networkx
from ._join import join_targets as join_targets
