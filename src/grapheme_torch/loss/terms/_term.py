"""Further terms of a loss, of the user's own."""

from torch import Tensor, nn

from .._alignment_plan import Plan
from ..batch._pairs import Pairs


class Term(nn.Module):
    """Base class of loss terms; a user's own defines `forward`.

    It may have parameters: they are the loss's, and learn with it.
    """

    reads_embedding = False
    """Whether it reads `pairs.embedding`: then the loss is differentiated in that, too."""

    def forward(self, pairs: Pairs, plan: Plan) -> Tensor:
        """The term of each pair, `[B]`.

        Args:
            pairs: Predictions in log-probabilities, and their targets.
            plan: Who was aligned with whom, with its gradient; `plan.padded` is the matrix.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `forward(pairs, plan)`.")
