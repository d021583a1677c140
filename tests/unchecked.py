"""A function as it is without run-time type checks."""

import functools
import inspect
from collections.abc import Callable
from typing import Any


def unchecked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, or the class, that lies under the checks of the shape-checked run.

    That run stops a wrong type or shape before our own refusal is reached; in the plain run,
    as for a user, there are no such checks and this changes nothing.
    """
    if inspect.ismethod(function):
        return functools.partial(inspect.unwrap(function.__func__), function.__self__)
    if not isinstance(function, type):
        return inspect.unwrap(function)
    kind: Any = function

    def build(*args: Any, **named: Any) -> Any:
        made = kind.__new__(kind)
        inspect.unwrap(kind.__init__)(made, *args, **named)
        return made

    return build
