"""The alignment of a batch with all terms of its loss as one PyTorch operator, and its derivative.

It exists on the CPU only, where the native kernel was built; `_native_engine` says when it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, get_args, get_type_hints

import torch
from torch import Tensor
from torch.autograd import Function

from ...ot import Once, refuse_forward
from . import _kernel
from ._kernel import Cotangents, Inputs, Outputs, Rounds, Settings, learned_of

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
    ready = _ready(inputs, rest[0].dtype)
    record, learned = _kernel.record_of(ready), learned_of(ready)
    found = _adjoint(record, learned, settings, Rounds(*rest[:_ROUNDS]), rest[_ROUNDS:])
    return [x.to(getattr(inputs, name).dtype) for name, x in found.items()]


def _adjoint(
    record: Any,
    learned: Mapping[str, Tensor],
    settings: Settings,
    rounds: Rounds,
    cotangents: Sequence[Tensor | None],
) -> dict[str, Tensor]:
    """The derivative by the kernel, of cotangents as autograd gives them."""
    slopes = Cotangents(*[None if x is None else x.contiguous() for x in cotangents])
    return _kernel.record_adjoint(record, learned, settings, rounds, slopes)


def _fake_align(*arguments: Any) -> Outputs:
    inputs, settings, (rows, columns) = _taken_apart(arguments)
    rounds, pairs = settings.rounds + 1, len(inputs.temperature)
    like = inputs.temperature.to(_precision(inputs, settings))
    return Outputs(
        like.new_empty(4, pairs),
        like.new_empty(settings.kept_plans, pairs, rows, columns),
        like.new_empty(rounds, pairs),
        like.new_empty(rounds, pairs, dtype=torch.int64),
        like.new_empty(pairs),
        like.new_empty(pairs, dtype=torch.int64),
        like.new_empty(pairs, dtype=torch.bool),
    )


def _fake_align_adjoint(*arguments: Any) -> list[Tensor]:
    return [torch.empty_like(x) for x in learned_of(_taken_apart(arguments)[0]).values()]


_LIBRARY.impl("alignment", _align, "CPU")
_LIBRARY.impl("alignment_adjoint", _align_adjoint, "CPU")
torch.library.register_fake("grapheme_torch::alignment", _fake_align, lib=_LIBRARY)
torch.library.register_fake("grapheme_torch::alignment_adjoint", _fake_align_adjoint, lib=_LIBRARY)


def _taken_apart(arguments: Sequence[Any]) -> tuple[Inputs, Settings, Sequence[Any]]:
    """The records that an operator was given, and what follows them."""
    end = _INPUTS + _SETTINGS
    return Inputs(*arguments[:_INPUTS]), Settings(*arguments[_INPUTS:end]), arguments[end:]


def _precision(inputs: Inputs, settings: Settings) -> torch.dtype:
    """Single, if that is what is given and as much as is asked for; else double."""
    if settings.tolerance < SINGLE or inputs.log_existence.dtype != torch.float32:
        return torch.float64
    single = all(x.dtype == torch.float32 for x in learned_of(inputs).values())
    return torch.float32 if single else torch.float64


def _ready(inputs: Inputs, real: torch.dtype) -> Inputs:
    """The same contiguous, in one precision and with integers of one width."""
    ready: list[Any] = [x if x is None else _ready_one(x, real) for x in inputs]
    return Inputs(*ready)


def _ready_one(x: Tensor, real: torch.dtype) -> Tensor:
    # Asked first: to be told that nothing is to be done costs more.
    if x.dtype in (real, torch.int64) and x.is_contiguous():
        return x
    return x.to(real if x.is_floating_point() else torch.int64).contiguous()


class Terms(Function):
    """Terms and last plan as a function of what is learned; first derivatives by the kernel.

    Arguments: compose, inputs, settings, rows, columns, names of what is learned, and that.
    `compose` is the same function in PyTorch, of the learned ones by name: a second derivative is
    taken through it, where there is one.
    Returns total, node, edge and clique term of each pair and the last plan. Then follow, of all
    rounds together, the largest residual, the iterations and whether all converged.
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
        names: tuple[str, ...],
        *learned: Tensor,
    ) -> tuple[Tensor, ...]:
        found, held = _compute(inputs, settings, rows, columns, names)
        ctx.compose, ctx.settings, ctx.held = compose, settings, held
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*learned, found.plans, found.residual, found.iterations)
        evidence = found[-3:]
        ctx.mark_non_differentiable(*evidence)
        return *found.terms.unbind(), found.plans.select(0, -1), *evidence

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> NoReturn:
        refuse_forward()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        saved, cotangents = ctx.saved_tensors, Cotangents(*grads[:-3])
        learned, rounds = saved[:-_ROUNDS], saved[-_ROUNDS:]
        if torch.is_grad_enabled() and ctx.settings.gradient in ("implicit", "detach"):
            values = dict(zip(ctx.held.names, learned, strict=True))
            return (None,) * 6 + tuple(_through(ctx.compose, values, cotangents))
        differentiate = _Once.apply if torch.is_grad_enabled() else _Once.forward
        found = differentiate(ctx.held, ctx.settings, *rounds, *cotangents, *learned)
        return (None,) * 6 + tuple(found)


class _Held(NamedTuple):
    """What the derivative needs besides tensors that are saved: nothing that is learned.

    Args:
        names: Of what is learned.
        inputs: The others, as they were given; None where C++ holds them.
        record: The others, as C++ holds them; None where an operator is asked.
    """

    names: tuple[str, ...]
    inputs: Inputs | None
    record: Any


def _compute(
    inputs: Inputs, settings: Settings, rows: int, columns: int, names: tuple[str, ...]
) -> tuple[Outputs, _Held]:
    """Terms and plans, and what their derivative needs."""
    gone: dict[str, Any] = dict.fromkeys(names)
    if not _plainly(inputs.temperature):
        found = Outputs(*alignment(*inputs, *settings, rows, columns))
        return found, _Held(names, inputs._replace(**gone), None)
    ready = _ready(inputs, _precision(inputs, settings))
    record = _kernel.record_of(ready)
    found = _kernel.align(ready, settings, rows, columns, record=record)
    return found, _Held(names, None, _kernel.record_with(record, gone))


def _plainly(x: Tensor) -> bool:
    """Whether nobody else has a say in an operator: PyTorch's dispatcher takes as long as a pair.

    Another device has a kernel of its own; a dispatch mode wants to see every operator.
    """
    return x.is_cpu and not torch._C._len_torch_dispatch_stack()


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
    def forward(held: _Held, settings: Settings, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        """Tensors: those of `Rounds` and `Cotangents`, then the learned inputs."""
        end = _ROUNDS + len(Cotangents._fields)
        given: tuple[Any, ...] = tensors[:end]
        learned: tuple[Any, ...] = tensors[end:]
        values: dict[str, Any] = dict(zip(held.names, learned, strict=True))
        if held.inputs is not None:
            return tuple(alignment_adjoint(*held.inputs._replace(**values), *settings, *given))
        rounds = Rounds(*given[:_ROUNDS])
        ready = {name: _ready_one(x, rounds.plans.dtype) for name, x in values.items()}
        record = _kernel.record_with(held.record, ready)
        found = _adjoint(record, ready, settings, rounds, given[_ROUNDS:])
        return tuple(
            slope if slope.dtype == x.dtype else slope.to(x.dtype)
            for slope, x in zip(found.values(), learned, strict=True)
        )
