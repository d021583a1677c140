"""Labels as they fit into a node."""

import unicodedata

import regex

_CLUSTER = regex.compile(r"\X")
_NAMES = {" ": "\N{OPEN BOX}", "": "\N{EMPTY SET}"}
"""Signs that stand for what could not be seen."""


def shortened(label: str, most: int = 10) -> str:
    """`label` on one line, cut with an ellipsis where it is wider than `most` letters.

    A control or another invisible character is shown by its code point.
    """
    if label in _NAMES:
        return _NAMES[label]
    text = "".join(_visible(cluster) for cluster in _CLUSTER.findall(label[: 8 * most + 8]))
    if label_width(text) <= most and len(label) <= 8 * most + 8:
        return text
    kept = ""
    for cluster in _CLUSTER.findall(text):
        if label_width(kept + cluster) > most - 1:
            break
        kept += cluster
    return kept + "\N{HORIZONTAL ELLIPSIS}"


def label_width(text: str) -> int:
    """The width of a text in letters: wide characters count twice, combining ones not at all."""
    return sum(_cluster_width(cluster) for cluster in _CLUSTER.findall(text))


def _cluster_width(cluster: str) -> int:
    return 2 if unicodedata.east_asian_width(cluster[0]) in "WF" else 1


def _visible(cluster: str) -> str:
    if cluster == " ":
        return cluster
    if len(cluster) > 12:  # one letter under a heap of marks
        return f"U+{ord(cluster[0]):04X}"
    if unicodedata.category(cluster[0])[0] in "CZ":
        return f"U+{ord(cluster[0]):04X}"
    return cluster
