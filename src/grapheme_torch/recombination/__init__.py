"""Data augmentation: pairs that are made of parts of others."""

from ._recombine import recombine as recombine
from ._recombine import recombined as recombined
