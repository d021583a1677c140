"""The public names of the package; importing them takes what PyTorch takes: seconds."""

from . import _startup as _startup

with _startup.without_collector():
    from . import convert as convert
    from . import costs as costs
    from . import data as data
    from . import nn as nn
    from . import ot as ot
    from ._check import InputError as InputError
    from .data import Alphabet as Alphabet
    from .decoding import decode as decode
    from .edits import EditReport as EditReport
    from .edits import edit_report as edit_report
    from .gradients import GradientReport as GradientReport
    from .gradients import check_gradients as check_gradients
    from .graphs import graph_from_networkx as graph_from_networkx
    from .graphs import graph_from_node_link as graph_from_node_link
    from .graphs import graph_to_networkx as graph_to_networkx
    from .graphs import graph_to_node_link as graph_to_node_link
    from .graphs import graph_to_text as graph_to_text
    from .graphs import laplacian_encoding as laplacian_encoding
    from .graphs import make_graph as make_graph
    from .graphs import text_to_graph as text_to_graph
    from .loss import Aligner as Aligner
    from .loss import AlignmentProblem as AlignmentProblem
    from .loss import Dense as Dense
    from .loss import EdgeCost as EdgeCost
    from .loss import Exact as Exact
    from .loss import Given as Given
    from .loss import Hints as Hints
    from .loss import Learned as Learned
    from .loss import NodeCost as NodeCost
    from .loss import Pairs as Pairs
    from .loss import Plan as Plan
    from .loss import Prices as Prices
    from .loss import Sinkhorn as Sinkhorn
    from .loss import StructuralLoss as StructuralLoss
    from .loss import StructuralLossResult as StructuralLossResult
    from .loss import Support as Support
    from .loss import Term as Term
    from .loss import Tiled as Tiled
    from .loss import Window as Window
    from .nn import GraphTransformNet as GraphTransformNet
    from .prediction import Prediction as Prediction
