"""What a network says about a graph, in logits."""

from ._certain import SURE as SURE
from ._prediction import Prediction as Prediction
from ._tree import register as _register

_register()
