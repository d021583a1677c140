"""Text and graphs: one node per grapheme cluster, edges in reading order.

A graph is a PyTorch Geometric `Data` with

- `label`: list of `n` strings, what each node is;
- `x [n, 12]`: hashes of each label and of its first code points, what a network reads (no
  vocabulary is needed);
- `edge_index [2, e]`: source and target of each edge;
- `edge_label`: list of `e` strings, the relation each edge stands for;
- `edge_attr [e, 12]`: the same of each edge label;
- `directed`: whether an edge has a direction. If not, each edge is stored once, in either
  direction;
- `position [n]`: place in reading order, in steps; left out when the graph has no order;
- `features [n, k]`: numbers of each node, such as those of a measurement; left out when the nodes
  have none.

A graph without `directed` is undirected if it stores every edge in both directions, as PyTorch
Geometric does.
"""

from ._direction import Triple as Triple
from ._direction import alike as alike
from ._direction import arcs as arcs
from ._direction import both_ways as both_ways
from ._direction import edge_triples as edge_triples
from ._direction import graph_key as graph_key
from ._direction import is_acyclic as is_acyclic
from ._direction import is_directed as is_directed
from ._direction import sorted_edges as sorted_edges
from ._direction import undirected as undirected
from ._form import NEXT as NEXT
from ._form import LabelledGraph as LabelledGraph
from ._form import check_data as check_data
from ._form import check_flag as check_flag
from ._form import count_nodes as count_nodes
from ._form import edge_tensor as edge_tensor
from ._form import make_graph as make_graph
from ._form import membership as membership
from ._form import node_labels as node_labels
from ._form import node_words as node_words
from ._form import positions_of as positions_of
from ._hashes import NUM_CODE_POINTS as NUM_CODE_POINTS
from ._hashes import NUM_HASHES as NUM_HASHES
from ._hashes import hash_labels as hash_labels
from ._laplacian import laplacian_encoding as laplacian_encoding
from ._moments import Moments as Moments
from ._networkx import graph_from_networkx as graph_from_networkx
from ._networkx import graph_to_networkx as graph_to_networkx
from ._node_link import graph_from_node_link as graph_from_node_link
from ._node_link import graph_to_node_link as graph_to_node_link
from ._node_numbers import feature_width as feature_width
from ._node_numbers import features_of as features_of
from ._spectral import normalized_laplacian as normalized_laplacian
from ._spectral import spectral_coordinates as spectral_coordinates
from ._text import count_clusters as count_clusters
from ._text import graph_to_text as graph_to_text
from ._text import path_order as path_order
from ._text import text_to_graph as text_to_graph
