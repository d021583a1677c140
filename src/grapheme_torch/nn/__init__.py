"""The graph transformation network and its parts; knows no loss."""

from ._attention import GraphAttention as GraphAttention
from ._card import CARD as CARD
from ._card import ModelCard as ModelCard
from ._embedding import HashEmbedding as HashEmbedding
from ._embedding import sinusoids as sinusoids
from ._features import FeatureEmbedding as FeatureEmbedding
from ._features import check_width as check_width
from ._heads import OutputHeads as OutputHeads
from ._heads import candidate_edges as candidate_edges
from ._heads import num_candidates as num_candidates
from ._message import MessagePassingBlock as MessagePassingBlock
from ._network import GraphTransformNet as GraphTransformNet
from ._network_options import DECIDED as DECIDED
from ._network_options import GROUPS as GROUPS
from ._network_options import CandidateEdges as CandidateEdges
from ._network_options import Dropout as Dropout
from ._network_options import OutputQueries as OutputQueries
from ._network_options import OutputSlots as OutputSlots
from ._network_options import grouped as grouped
from ._ngrams import NGramEmbedding as NGramEmbedding
from ._pretrained import WEIGHTS as WEIGHTS
from ._pretrained import read_header as read_header
from ._pretrained import read_weights as read_weights
from ._pretrained import save_model as save_model
from ._pretrained import save_tensors as save_tensors
from ._queries import QueryDecoder as QueryDecoder
