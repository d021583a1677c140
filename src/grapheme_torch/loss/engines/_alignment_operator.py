"""The alignment of a batch with all terms of its loss as one PyTorch operator, and its derivative.

It exists on the CPU only, where the native kernel was built; `_native_engine` says when it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, get_args, get_type_hints

import torch
from torch import Tensor
from torch.autograd import Function

from ...ot import Once, refuse_forward
from . import _kernel
from ._kernel import LEARNED, Cotangents, Inputs, Outputs, Rounds, Settings

SINGLE = 1e-5
"""The least tolerance that single precision can be relied on to meet."""

Compose = Callable[[Mapping[str, Tensor]], tuple[Sequence[Tensor], Tensor]]
"""Terms and last plan by the program in PyTorch, of the learned inputs by name."""

_TYPES = {Tensor: "Tensor", float: "float", int: "int", bool: "bool", str: "str"}


def _declared(record: type) -> str:
    """The fields of a record as arguments of an operator, by the same names."""
    return ", ".join(f"{_declaration(x)} {name}" for name, x in get_type_hints(record).items())


def _declaration(annotation: Any) -> str:
    options = get_args(annotation)
    if type(None) in options:
        return f"{_TYPES[options[0]]}?"
    return _TYPES[annotation]


# Defined by hand: PyTorch's `custom_op` costs a call about 0.05 ms, as much as a pair.
_LIBRARY = torch.library.Library("grapheme_torch", "FRAGMENT")
_PROBLEM = f"{_declared(Inputs)}, {_declared(Settings)}"
_LIBRARY.define(
    f"alignment({_PROBLEM}, int rows, int columns) -> ({_declared(Outputs)})",
    tags=torch.Tag.pt2_compliant_tag,
)
_LIBRARY.define(
    f"alignment_adjoint({_PROBLEM}, {_declared(Rounds)}, {_declared(Cotangents)}) -> Tensor[]",
    tags=torch.Tag.pt2_compliant_tag,
)
alignment = torch.ops.grapheme_torch.alignment.default
"""Terms and plans, see `_kernel.align`: the fields of `Inputs` and `Settings`, rows and columns."""

alignment_adjoint = torch.ops.grapheme_torch.alignment_adjoint.default
"""The derivative in those of `LEARNED` that are given, see `_kernel.align_adjoint`."""

_INPUTS, _SETTINGS, _ROUNDS = (len(x._fields) for x in (Inputs, Settings, Rounds))


def _align(*arguments: Any) -> Outputs:
    inputs, settings, (rows, columns) = _taken_apart(arguments)
    return _kernel.align(_ready(inputs, _precision(inputs, settings)), settings, rows, columns)


def _align_adjoint(*arguments: Any) -> list[Tensor]:
    inputs, settings, rest = _taken_apart(arguments)
    cotangents = [None if x is None else x.contiguous() for x in rest[_ROUNDS:]]
    found = _kernel.align_adjoint(
        _ready(inputs, _precision(inputs, settings)),
        settings,
        Rounds(*rest[:_ROUNDS]),
        Cotangents(*cotangents),
    )
    return [x.to(getattr(inputs, name).dtype) for name, x in found.items()]


def _fake_align(*arguments: Any) -> Outputs:
    inputs, settings, (rows, columns) = _taken_apart(arguments)
    rounds, pairs = settings.rounds + 1, len(inputs.temperature)
    like = inputs.temperature.to(_precision(inputs, settings))
    return Outputs(
        like.new_empty(4, pairs),
        like.new_empty(rounds, pairs, rows, columns),
        like.new_empty(rounds, pairs),
        like.new_empty(rounds, pairs, dtype=torch.int64),
        like.new_empty(pairs),
        like.new_empty(pairs, dtype=torch.int64),
        like.new_empty(pairs, dtype=torch.bool),
    )


def _fake_align_adjoint(*arguments: Any) -> list[Tensor]:
    return [torch.empty_like(x) for x in _learned(_taken_apart(arguments)[0]).values()]


_LIBRARY.impl("alignment", _align, "CPU")
_LIBRARY.impl("alignment_adjoint", _align_adjoint, "CPU")
torch.library.register_fake("grapheme_torch::alignment", _fake_align, lib=_LIBRARY)
torch.library.register_fake("grapheme_torch::alignment_adjoint", _fake_align_adjoint, lib=_LIBRARY)


def _taken_apart(arguments: Sequence[Any]) -> tuple[Inputs, Settings, Sequence[Any]]:
    """The records that an operator was given, and what follows them."""
    end = _INPUTS + _SETTINGS
    return Inputs(*arguments[:_INPUTS]), Settings(*arguments[_INPUTS:end]), arguments[end:]


def _learned(inputs: Inputs) -> dict[str, Tensor]:
    """What a loss is differentiated in, by name."""
    given = ((name, getattr(inputs, name)) for name in LEARNED)
    return {name: x for name, x in given if x is not None}


def _precision(inputs: Inputs, settings: Settings) -> torch.dtype:
    """Single, if that is what is given and as much as is asked for; else double."""
    if settings.tolerance < SINGLE or inputs.log_existence.dtype != torch.float32:
        return torch.float64
    single = all(x.dtype == torch.float32 for x in _learned(inputs).values())
    return torch.float32 if single else torch.float64


def _ready(inputs: Inputs, real: torch.dtype) -> Inputs:
    """The same contiguous, in one precision and with integers of one width."""
    # Asked first: to be told that nothing is to be done costs more.
    ready: list[Any] = [
        x
        if x is None or (x.dtype in (real, torch.int64) and x.is_contiguous())
        else x.to(real if x.is_floating_point() else torch.int64).contiguous()
        for x in inputs
    ]
    return Inputs(*ready)


class Terms(Function):
    """Terms and last plan as a function of what is learned; first derivatives by the kernel.

    Arguments: compose, inputs, settings, rows and columns, then the learned ones of the inputs.
    `compose` is the same function in PyTorch, of the learned ones by name: a second derivative is
    taken through it, where there is one.
    Returns total, node, edge and clique term of each pair and the last plan; then, of all rounds
    together, the largest residual, the iterations and whether all converged.
    """

    # The older form: to bind the arguments of `setup_context` costs PyTorch 0.1 ms a call.
    @staticmethod
    def forward(
        ctx: Any,
        compose: Compose,
        inputs: Inputs,
        settings: Settings,
        rows: int,
        columns: int,
        *learned: Tensor,
    ) -> tuple[Tensor, ...]:
        found = Outputs(*alignment(*inputs, *settings, rows, columns))
        ctx.names = tuple(_learned(inputs))
        # What is learned is kept by `save_for_backward`, and by nothing else.
        gone: dict[str, Any] = dict.fromkeys(ctx.names)
        ctx.inputs = inputs._replace(**gone)
        ctx.compose, ctx.settings = compose, settings
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*learned, found.plans, found.residual, found.iterations)
        evidence = found[-3:]
        ctx.mark_non_differentiable(*evidence)
        return *found.terms.unbind(), found.plans[-1], *evidence

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        saved, cotangents = ctx.saved_tensors, Cotangents(*grads[:-3])
        learned, rounds = saved[:-_ROUNDS], saved[-_ROUNDS:]
        if torch.is_grad_enabled() and ctx.settings.gradient in ("implicit", "detach"):
            values = dict(zip(ctx.names, learned, strict=True))
            return (None,) * 5 + tuple(_through(ctx.compose, values, cotangents))
        differentiate = _Once.apply if torch.is_grad_enabled() else _Once.forward
        call = ctx.names, ctx.inputs, ctx.settings
        found = differentiate(*call, *rounds, *cotangents, *learned)
        return (None,) * 5 + tuple(found)


def _through(
    compose: Compose, values: dict[str, Tensor], cotangents: Cotangents
) -> list[Tensor | None]:
    """The derivative as a differentiable function, by the program in PyTorch."""
    terms, plan = compose(values)
    parts = zip((*terms, plan), cotangents, strict=True)
    total = torch.stack([(x * slope).sum() for x, slope in parts if slope is not None]).sum()
    wanted = [x for x in values.values() if x.requires_grad]
    grads = torch.autograd.grad(total, wanted, create_graph=True, materialize_grads=True)
    found = iter(grads)
    return [next(found) if x.requires_grad else None for x in values.values()]


class _Once(Once):
    """The first derivative."""

    @staticmethod
    def forward(
        names: Sequence[str],
        inputs: Inputs,
        settings: Settings,
        *tensors: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Tensors: those of `Rounds` and `Cotangents`, then the learned inputs."""
        end = _ROUNDS + len(Cotangents._fields)
        given, learned = tensors[:end], tensors[end:]
        values: dict[str, Any] = dict(zip(names, learned, strict=True))
        inputs = inputs._replace(**values)
        return tuple(alignment_adjoint(*inputs, *settings, *given))
