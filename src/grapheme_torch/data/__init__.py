"""Data sets: pairs of graphs in JSON Lines, the alphabet of their targets, batches."""

from ._alphabet import Alphabet as Alphabet
from ._alphabet import Classes as Classes
from ._conditions import Positions as Positions
from ._conditions import check_acyclic as check_acyclic
from ._conditions import check_sizes as check_sizes
from ._conditions import unify_positions as unify_positions
from ._dataset import INPUT as INPUT
from ._dataset import PairDataset as PairDataset
from ._dataset import collate as collate
from ._dataset import load_pairs as load_pairs
from ._dataset import only as only
from ._division import Division as Division
from ._division import Part as Part
from ._division import Parts as Parts
from ._division import Shared as Shared
from ._input_lines import LineFormat as LineFormat
from ._input_lines import check_size as check_size
from ._input_lines import input_pair as input_pair
from ._input_lines import read_inputs as read_inputs
from ._jsonl import parse_document as parse_document
from ._kindergarten import kindergarten as kindergarten
from ._pair_file import PairFile as PairFile
from ._records import Pair as Pair
from ._records import graph_document as graph_document
from ._records import read_pairs as read_pairs
from ._sizes import SimilarSizes as SimilarSizes
