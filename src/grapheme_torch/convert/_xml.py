"""XML read safely into elements that know their line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from .._check import InputError, Received, refusal
from ._pieces import located

MAX_DEPTH = 100
"""Elements within elements; a graph needs about ten."""

_REFERENCE = re.compile(rb"&(?!#|(?:amp|lt|gt|quot|apos);)")
"""A reference to an entity that XML itself does not define."""


@dataclass(slots=True)
class Element:
    """An element of an XML file.

    Args:
        name: Its name, without the namespace of the format and without any prefix.
        namespace: Its namespace, or "" for that of the format or none.
        attributes: The attributes without a prefix.
        line: The line of the file, from 1.
        text: The text before the first child.
    """

    name: str
    namespace: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def find(self, name: str) -> Iterator["Element"]:
        """The children of this name in the namespace of the format."""
        return (child for child in self.children if child.name == name and not child.namespace)

    def below(self) -> Iterator["Element"]:
        """Every element within this one, in the order of the file."""
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += element.children[::-1]

    def __str__(self) -> str:
        """The element as a message names it."""
        return f"`{self.name}`" + (f" of {self.namespace!r}" if self.namespace else "")


def parse(content: bytes, namespace: re.Pattern[str]) -> Element:
    """The outermost element of an XML file.

    Args:
        content: The file. No other file that it names is read.
        namespace: The namespaces of the format. Elements without one are taken for its own.

    Raises:
        InputError: At the line of what is no XML, or of an entity that is declared or not defined.
            Also of elements nested more than `MAX_DEPTH` deep.
    """
    builder = _Builder(namespace)
    try:
        builder.parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = Received(expat.ErrorString(error.code))
        bad = refusal("the file", "be XML", reason, "Export it again.")
        raise located(bad, error.lineno - 1) from None
    except InputError:
        raise
    except (ValueError, LookupError) as error:  # an encoding that the parser does not know
        remedy = "Save the file as UTF-8."
        raise refusal("the encoding", "be readable", Received(str(error)), remedy) from None
    if builder.external and (found := _REFERENCE.search(content)):
        # Left out without a word by the parser, as the other file might define it.
        raise located(_entity("an undefined one"), content.count(b"\n", 0, found.start()))
    return builder.root


def refused(
    element: Element, name: str, requirement: str, value: object, remedy: str
) -> InputError:
    """The refusal "`name` must ...", said of the line of an element."""
    return located(refusal(name, requirement, value, remedy), element.line - 1)


def check_children(
    element: Element,
    read: Iterable[str],
    passed: Iterable[str] = (),
    remedies: Mapping[str, str] | None = None,
) -> None:
    """Refuses a child that no reader looks at; extensions in other namespaces may stand.

    Args:
        element: The element.
        read: Names of the children that are read.
        passed: Names of those that say nothing of nodes and edges.
        remedies: What to do about some others, by name.

    Raises:
        InputError: At the line of the child.
    """
    remedies = remedies or {}
    for child in element.children:
        structure = child.name in read or child.name in remedies
        if structure if child.namespace else child.name not in {*read, *passed}:
            remedy = remedies.get(child.name, "Take it out, or export the file again.")
            only = ", ".join(f"`{name}`" for name in (*read, *passed))
            found = Received(str(child))
            raise refused(child, f"the element {element}", f"hold only {only}", found, remedy)


class _Builder:
    """Builds elements from what the parser meets."""

    def __init__(self, namespace: re.Pattern[str]) -> None:
        self.namespace = namespace
        self.external = False
        self.root = Element("", "", {}, 1)
        self.open: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._declared

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self.namespace.fullmatch(namespace):
            namespace = ""
        plain = {key: value for key, value in attributes.items() if " " not in key}
        element = Element(local, namespace, plain, self.parser.CurrentLineNumber)
        if len(self.open) >= MAX_DEPTH:
            most = f"be nested at most {MAX_DEPTH} deep"
            raise refused(element, "elements", most, Received("more"), "Export the file again.")
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def _end(self, name: str) -> None:
        self.open.pop()

    def _characters(self, text: str) -> None:
        if not self.open[-1].children:
            self.open[-1].text += text

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        self.external = system is not None

    def _declared(self, *declaration: object) -> None:
        raise located(_entity("a declaration"), self.parser.CurrentLineNumber - 1)


def _entity(found: str) -> InputError:
    remedy = "Write the characters themselves, and take the DOCTYPE out."
    return refusal("entities", "be those of XML itself", Received(found), remedy)
