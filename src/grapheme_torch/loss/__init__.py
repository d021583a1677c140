"""The structural loss between a predicted soft graph and a target graph; knows no network."""

from ._structural import StructuralLoss as StructuralLoss
from ._structural import StructuralLossResult as StructuralLossResult
