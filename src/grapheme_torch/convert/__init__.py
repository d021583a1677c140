"""Data sets from the formats of the field: records of input and target, one at a time."""

from ._cogs import cogs as cogs
from ._cogs import cogs_to_logical_form as cogs_to_logical_form
from ._conllu import conllu as conllu
from ._depiction import molecule_places as molecule_places
from ._file import Conversion as Conversion
from ._file import convert as convert
from ._formats import FORMATS as FORMATS
from ._formats import Format as Format
from ._formats import formats as formats
from ._graph_files import gexf as gexf
from ._graph_files import graphml as graphml
from ._molecule import molecule_to_smiles as molecule_to_smiles
from ._pair_tables import pairs as pairs
from ._pieces import LeftOut as LeftOut
from ._pieces import Piece as Piece
from ._pieces import Record as Record
from ._pieces import Skip as Skip
from ._pieces import Skipped as Skipped
from ._pieces import line_pieces as line_pieces
from ._pieces import records as records
from ._python import python as python
from ._sdf import sdf as sdf
from ._slog import slog as slog
from ._slog import slog_to_logical_form as slog_to_logical_form
from ._smiles import smiles as smiles
from ._syntax import graph_to_python as graph_to_python
