"""One law for arguments: whatever is given, the right value comes back or an `InputError`.

A `Subject` is a public function with a valid call. `spoilt` changes one argument of it: its dtype,
its shape, its numbers, or what kind of thing it is. Nothing but an `InputError` may be raised.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grapheme_torch import InputError

Arguments = dict[str, Any]

DTYPES = [
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64,
]  # fmt: skip

THINGS: list[Any] = [
    None, "a", b"a", 1, -1, 0, 2.5, nan, inf, True, [], [1.0], (1, 2), {}, object(), 10**30,
    np.zeros(3), torch.zeros(()), torch.zeros(0), torch.zeros(2, 0, dtype=torch.long),
]  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A public function to be tried.

    Args:
        name: Of the function.
        build: A valid call, from a source of random numbers.
        call: Calls it.
        check: Asserts that what came back is right for these arguments.
    """

    name: str
    build: Callable[[random.Random], Arguments]
    call: Callable[[Arguments], Any]
    check: Callable[[Arguments, Any], None]


def spoilt(rng: random.Random, arguments: Arguments) -> tuple[str, Arguments]:
    """The arguments with one of them changed, and what was done."""
    name = rng.choice(sorted(arguments))
    value = arguments[name]
    if isinstance(value, Tensor) and rng.random() < 0.9:
        how, value = _other_tensor(rng, value)
    else:
        value = rng.choice(THINGS)
        how = f"is {value!r}"
    return f"{name} {how}", {**arguments, name: value}


def _other_tensor(rng: random.Random, x: Tensor) -> tuple[str, Tensor]:
    kind = rng.choice(["dtype", "shape", "numbers", "form"])
    if kind == "dtype":
        dtype = rng.choice(DTYPES)
        return f"as {dtype}", x.detach().to(dtype)
    if kind == "shape":
        return _other_shape(rng, x.detach())
    if kind == "numbers":
        return _other_numbers(rng, x.detach().clone())
    return rng.choice([
        ("on another device", x.detach().to("meta")),
        ("not contiguous", _strided(x)),
        ("sparse", x.detach().to_sparse() if x.ndim else x),
        ("that learns", x.detach().clone().requires_grad_(x.is_floating_point())),
    ])  # fmt: skip


def _other_shape(rng: random.Random, x: Tensor) -> tuple[str, Tensor]:
    axis = rng.randrange(x.ndim) if x.ndim else 0
    choices: list[Callable[[], Tensor]] = [
        lambda: x.new_zeros(0),
        lambda: x[None],
        lambda: x[..., None],
        lambda: x.flatten(),
        lambda: x.new_zeros(()),
    ]
    if x.ndim:
        length = x.shape[axis]
        choices += [
            lambda: x.narrow(axis, 0, 0),
            lambda: x.narrow(axis, 0, max(length - 1, 0)),
            lambda: torch.cat([x, x.narrow(axis, 0, min(1, length))], axis),
            lambda: x.repeat_interleave(2, axis),
            lambda: x.movedim(axis, 0),
        ]
    value = rng.choice(choices)()
    return f"of shape {tuple(value.shape)} instead of {tuple(x.shape)}", value


def _other_numbers(rng: random.Random, x: Tensor) -> tuple[str, Tensor]:
    if not x.numel():
        return "as it is", x
    numbers: list[Any] = [nan, inf, -inf, 1e30, -1e30, -1.0, 0.0, 1e-30, 1e4]
    if not x.is_floating_point():
        numbers = [-1, -(2**62), 2**62, 0, 1, 7]
    number = rng.choice(numbers)
    count = rng.choice([1, 1, x.numel()])
    at = torch.tensor(rng.sample(range(x.numel()), count))
    x.view(-1)[at] = torch.tensor(number).to(x.dtype)
    return f"with {number} in {count} places", x


def _strided(x: Tensor) -> Tensor:
    return torch.stack([x.detach(), x.detach()], -1)[..., 0]


def tried(subject: Subject, seed: int) -> str:
    """One draw: what came of it, "refused" or "right"; raises where it is neither."""
    rng = random.Random(f"{subject.name} {seed}")
    how, arguments = spoilt(rng, subject.build(rng))
    try:
        result = subject.call(arguments)
    except InputError as error:
        assert_in_our_words(str(error))
        return "refused"
    except Exception as error:
        raise AssertionError(f"{subject.name}, {how}: {type(error).__name__}: {error}") from error
    try:
        subject.check(arguments, result)
    except Exception as error:
        raise AssertionError(f"{subject.name}, {how}: accepted, but {error}") from error
    return "right"


def assert_in_our_words(message: str) -> None:
    """A refusal names what, the requirement, what came and what to do."""
    assert " must " in message, message
    assert ", got " in message, message
    assert message.endswith((".", "?", ")", "]")), message
