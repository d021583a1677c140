"""What is differentiated once, and says so when it is asked for more."""

from typing import Any, NoReturn

from torch import Tensor
from torch.autograd import Function


class Once(Function):
    """A function of tensors that refuses to be differentiated, backward and forward.

    The first derivative of an alignment is one. All that it is computed from has to be its
    arguments: then every way to a second derivative leads through it. PyTorch's own
    `once_differentiable` stands aside from those ways, and what is asked of it alone is left out.
    """

    generate_vmap_rule = True

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> NoReturn:
        """Refuses."""
        raise RuntimeError(
            "The alignment is differentiated once: a second derivative must be asked for with "
            'gradient="implicit", of a `StructuralLoss` or `ot.transport_plan`.'
        )

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        """Refuses."""
        refuse_forward()


def refuse_forward() -> NoReturn:
    """Says that there is no derivative in forward mode."""
    raise RuntimeError(
        "The alignment is differentiated in reverse: forward mode must be asked for with "
        'gradient="implicit", of a `StructuralLoss` under `torch.func` or `ot.transport_plan`.'
    )
