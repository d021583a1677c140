"""Attributes of the nodes and edges in a graph file, and the label chosen among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._check import Received, shown
from ._xml import Element, refused

_WHOLE = frozenset({"int", "integer", "long", "short", "byte", "bigint", "biginteger"})
_REAL = frozenset({"float", "double"})
_TRUTH = {"true": "True", "1": "True", "false": "False", "0": "False"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an attribute as it stands in the file.

    Args:
        text: The text, or None where there is none.
        type: Its type: whole numbers, real numbers and truth values are written in one way,
            everything else as it stands.
        problem: Why it can be no label, if that is so.
    """

    text: str | None
    type: str = "string"
    problem: str = ""

    def written(self) -> str | None:
        """The value as a label, or None where there is none.

        Raises:
            ValueError: If the text is not of the type.
        """
        kind = self.type.lower()
        if self.text is None or kind not in _WHOLE | _REAL | {"boolean"}:
            return self.text
        text = self.text.strip().lower()
        if not text:
            return None
        if kind == "boolean":
            if text not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text]
        return str(int(text)) if kind in _WHOLE else str(float(text))


Values = Mapping[str, Sequence[Value]]
"""The values of each attribute, by its name."""


@dataclass(frozen=True, slots=True)
class Item:
    """A node or an edge of a graph file.

    Args:
        name: How messages call it.
        element: Where it stands.
        values: Its attributes.
    """

    name: str
    element: Element
    values: Values


@dataclass(frozen=True, slots=True)
class Field:
    """A declared attribute.

    Args:
        name: Its name.
        type: The type of its values.
        default: The value of an item that has none, or None where the file declares none.
    """

    name: str
    type: str
    default: Value | None


def declared(element: Element, name: str, kind: str | None) -> Field:
    """The attribute that an element declares; an empty `<default>` is no value.

    Args:
        element: The element, which may hold a `<default>`.
        name: The name of the attribute.
        kind: Its type; text, where none is given.
    """
    kind = kind or "string"
    texts = [Value(child.text or None, kind) for child in element.find("default")]
    return Field(name, kind, texts[0] if texts else None)


def defaults(fields: Iterable[Field]) -> Values:
    """The default values of the declared attributes, by name."""
    found: dict[str, list[Value]] = {}
    for field in fields:
        if field.default is not None:
            found.setdefault(field.name, []).append(field.default)
    return found


def labels(
    items: Sequence[Item],
    default: Values,
    option: str,
    chosen: str | None,
    usual: Sequence[str],
    place: Element,
) -> list[str | None]:
    """The label of each node, or of each edge; None where the file gives none.

    Args:
        items: The nodes, or the edges.
        default: Values of the attributes that an item does not have.
        option: The argument that chooses the attribute, for messages.
        chosen: The attribute; None for the first of `usual` that is there.
        usual: The names that a label usually has.
        place: The element of the graph, for messages.

    Raises:
        InputError: If no item has the chosen attribute, or one has several values of it or a
            value that is no text.
    """
    names = {name for item in items for name in item.values} | set(default)
    if chosen is None:
        chosen = next((name for name in usual if name in names), None)
    elif items and chosen not in names:
        there = ", ".join(sorted(names)) or "none"
        remedy = f"The attributes in this file: {there}."
        raise refused(place, f"`{option}`", "name an attribute that is there", chosen, remedy)
    if chosen is None:
        return [None] * len(items)
    return [_label(item, chosen, default.get(chosen, ())) for item in items]


def _label(item: Item, name: str, default: Sequence[Value]) -> str | None:
    own = _read(item, name, item.values.get(name, ()))
    return own if own is not None else _read(item, name, default)


def _read(item: Item, name: str, values: Sequence[Value]) -> str | None:
    what = f"the attribute {shown(name)} of {item.name}"
    found: dict[str, None] = {}
    for value in values:
        if value.problem:
            remedy = "Choose another attribute, or export the file with one text for it."
            raise refused(item.element, what, "be one text", Received(value.problem), remedy)
        try:
            written = value.written()
        except ValueError:
            remedy = "Write such a value, or declare another type."
            kind = f"be of its type, {value.type}"
            raise refused(item.element, what, kind, value.text, remedy) from None
        if written is not None:
            found[written] = None
    if len(found) > 1:
        several = Received(" and ".join(map(shown, found)))
        raise refused(item.element, what, "have one value", several, "Keep one of them.")
    return next(iter(found), None)
