"""Peaks as a line of JSON has them."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from .._check import require
from ._pieces import parsed


def json_object(text: str) -> Mapping[str, Any]:
    """The object on a line.

    Raises:
        InputError: If the line is no JSON object.
    """
    remedy = "Write one JSON object a line."
    found = parsed(text, remedy)
    require(isinstance(found, dict), "the line", "be a JSON object", found, remedy)
    return dict(found)


def read_peaks(found: Mapping[str, Any], key: str) -> list[tuple[float, float]]:
    """The peaks of a spectrum: m/z, and the share of the largest intensity.

    Raises:
        InputError: If there is none, or one is no pair of numbers.
    """
    value, name = found.get(key), f'the "{key}"'
    remedy = "Write [[m/z, intensity], ...], or name the key with --peaks."
    ok = isinstance(value, list) and bool(value)
    require(ok, name, "be a list of peaks", value, remedy)
    read = []
    for k, peak in enumerate(value or ()):
        pair = isinstance(peak, list) and len(peak) == 2
        require(pair, f"peak {k} of {name}", "be [m/z, intensity]", peak, remedy)
        mz, intensity = (number(one, f"peak {k} of {name}") for one in peak)
        read.append((mz, intensity))
    top = max(intensity for _, intensity in read)
    require(top > 0, f"the intensities of {name}", "be above 0", top, "Leave the line out.")
    return [(mz, intensity / top) for mz, intensity in read]


def strongest(peaks: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """The strongest peaks, by m/z."""
    return sorted(sorted(peaks, key=lambda peak: -peak[1])[:most])


def number(value: Any, name: str) -> float:
    """A number that is measured; `name` is what messages call it.

    Raises:
        InputError: If it is none, negative or not finite.
    """
    ok = isinstance(value, int | float) and not isinstance(value, bool)
    ok = ok and isfinite(value) and value >= 0
    require(ok, name, "be a finite number that is not negative", value, "Repair the line.")
    return float(value)
