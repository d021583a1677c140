"""What is differentiated once, and says so when it is asked for more."""

from contextlib import AbstractContextManager
from typing import Any, NoReturn

from torch import Tensor
from torch.autograd import Function, forward_ad


class Once(Function):
    """A function of tensors that refuses to be differentiated.

    The first derivative of an alignment is one. All that it is computed from has to be its
    arguments: then every way to a second derivative leads through it. PyTorch's own
    `once_differentiable` stands beside those ways: whoever names the inputs gets past it.
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


def forward_again() -> AbstractContextManager[Any]:
    """Lets an outer forward mode see what a `jvp` computes.

    PyTorch turns that off inside a `jvp`: nested forward modes would silently lose a term.
    """
    found: AbstractContextManager[Any] = forward_ad._set_fwd_grad_enabled(True)
    return found


def refuse_forward() -> NoReturn:
    """Says that there is no derivative in forward mode."""
    raise RuntimeError(
        "The alignment is differentiated in reverse: forward mode must be asked for with "
        'gradient="implicit", of a `StructuralLoss` under `torch.func` or `ot.transport_plan`.'
    )
