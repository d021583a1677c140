"""Timing cases in turns, so that what disturbs the machine meets them all."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def in_turns(
    cases: Mapping[str, Callable[[], Any]],
    seconds: float,
    timed: Callable[[Callable[[], Any]], T],
    *,
    least: int = 1,
) -> dict[str, list[T]]:
    """What `timed` says of a call of each case, time and again.

    Args:
        cases: By name.
        seconds: For how long, about, in all.
        timed: Makes a call and says how long it took.
        least: Calls of each case, whatever time they take.
    """
    spent: dict[str, list[T]] = {name: [] for name in cases}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(next(iter(spent.values()))) < least:
        for name, call in cases.items():
            spent[name].append(timed(call))
    return spent


def by_clock(call: Callable[[], Any]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
