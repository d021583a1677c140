"""What a compiler of programs is kept away from."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch

Method = TypeVar("Method", bound=Callable[..., Any])


def eager(method: Method) -> Method:
    """Leaves a method out of compiled programs: what it does depends on the values of tensors."""
    return cast(Method, torch.compiler.disable(method))
