"""What the text of a MOL block says that a SMILES cannot: refused by name.

RDKit drops some of it while it reads: aliases, link nodes, atom lists without a query, whatever it
does not know. It keeps some where SMILES has no place for it. Hence only what is listed here as
told by a SMILES passes. Stereo that is marked as unknown (wavy and crossed bonds) is what a SMILES
without a mark says. The chiral flag is not read: wedges are taken as absolute, as RDKit does.
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from .._check import InputError, Received, refusal
from ._chem import chem
from ._claims import Claims
from ._pieces import located

END = "M  END"
COUNTS = re.compile(r".{6}.*V[23]000\s*$")


def claims(lines: Sequence[str]) -> Claims:
    """Checks the lines of a MOL block, and says what is to be looked for in the molecule.

    Args:
        lines: The block, from its first line to the one before `M  END`.

    Raises:
        InputError: At a line that says what a SMILES cannot, or is of no MOL block.
    """
    counts = lines[3] if len(lines) > 3 else ""
    version = counts[33:39].strip()
    if len(lines) < 4 or version not in ("", "V2000", "V3000"):
        raise no_block(f"{len(lines)} lines without a counts line")
    try:
        return _V3000().read(lines) if version == "V3000" else _V2000().read(lines)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise no_block(f"numbers that cannot be read: {error}") from None


def no_block(what: str) -> InputError:
    """The refusal of a record that cannot be read as a MOL block."""
    remedy = "Compare its counts line with its atoms and bonds."
    return refusal("the record", "be a MOL block", Received(what), remedy)


def _untold(offset: int, what: str) -> InputError:
    """The refusal of a line of the block."""
    remedy = "Take it out of the record, or leave the molecule out."
    error = refusal("the MOL block", "say no more than a SMILES can", Received(what), remedy)
    return located(error, offset)


@functools.cache
def _elements() -> frozenset[str]:
    table = chem().GetPeriodicTable()
    return frozenset({"D", "T"} | {table.GetElementSymbol(number) for number in range(1, 119)})


_BONDS = {1, 2, 3, 4, 9}
"""Single, double, triple, aromatic, dative."""

_BOND_NAMES = {
    5: " (single or double)",
    6: " (single or aromatic)",
    7: " (double or aromatic)",
    8: " (any)",
    10: " (hydrogen bond)",
}


class _Block:
    """What both versions of the format say alike."""

    def __init__(self) -> None:
        self.claims = Claims()

    def symbol(self, offset: int, symbol: str) -> None:
        if symbol.capitalize() not in _elements():
            raise _untold(offset, f"the atom {symbol!r}, which is no element")

    def radical(self, offset: int, atom: int, code: int) -> None:
        if code == 2:
            self.claims.radicals.append(atom)
        elif code:
            name = {1: "a singlet", 3: "a triplet"}.get(code, f"code {code}")
            raise _untold(offset, f"a radical that is {name}")

    def bond(self, offset: int, ends: tuple[int, int], kind: int, wedge: bool) -> None:
        if kind not in _BONDS:
            raise _untold(offset, f"a bond of type {kind}{_BOND_NAMES.get(kind, '')}")
        if wedge:
            self.claims.wedges.append(ends)


_ATOM_QUERIES = {
    42: "a number of hydrogens to search for",
    45: "a stereo care box",
    51: "a ban of hydrogens",
    54: "a role in a reaction",
    57: "a component of a reaction",
    63: "a change of stereo in a reaction",
    66: "an exact change in a reaction",
}
"""Fields of an atom that are not 0 in queries and reactions only, by column."""

_BOND_QUERIES = {15: "a bond topology to search for", 18: "a reacting centre"}

_PROPERTIES = {
    "ALS": "an atom list",
    "APO": "an attachment point",
    "AAL": "an order of attachments",
    "HYD": "hydrogens of zero-order bonds",
    "LIN": "a link node",
    "LOG": "logic of R groups",
    "RBC": "a ring bond count to search for",
    "RGP": "an R group",
    "SUB": "a substitution count to search for",
    "UNS": "an unsaturation to search for",
    "ZBO": "a zero-order bond",
    "ZCH": "a charge of zero-order bonds",
    "A": "an alias of an atom",
    "V": "a text at an atom",
    "G": "an abbreviated group",
}
_GROUP_LINES = re.compile(r"S(LB|DS|AL|BL|MT|DI|BV|DT|DD|CD|ED|PL|AP|CL|BT)")
"""Lines that say more of a group, whose type decides."""


class _V2000(_Block):
    def read(self, lines: Sequence[str]) -> Claims:
        counts = lines[3]
        atoms, bonds = _number(counts, 0), _number(counts, 3)
        if _number(counts, 6) or _number(counts, 15):
            raise _untold(3, "atom lists or texts in the counts line")
        if min(atoms, bonds) < 0 or len(lines) < 4 + atoms + bonds:
            raise no_block(f"{len(lines) - 4} lines for {atoms} atoms and {bonds} bonds")
        last = 4 + atoms + bonds
        # Charges of these lines stand instead of those of the atom block.
        self.charges = any(line[:6] in ("M  CHG", "M  RAD") for line in lines[last:])
        isotopes = {
            atom for line in lines[last:] if line[:6] == "M  ISO" for atom, _ in _entries(line)
        }
        for atom in range(atoms):
            self._atom(4 + atom, lines[4 + atom], atom, isotopes)
        for offset in range(4 + atoms, last):
            line = lines[offset]
            self._check_fields(offset, line, _BOND_QUERIES)
            mark = _number(line, 9)
            if mark not in (0, 1, 3, 4, 6):
                raise _untold(offset, f"a bond with stereo {mark}")
            ends = (_number(line, 0) - 1, _number(line, 3) - 1)
            self.bond(offset, ends, _number(line, 6), mark in (1, 6))
        self._properties(last, lines[last:])
        return self.claims

    def _atom(self, offset: int, line: str, atom: int, isotopes: set[int]) -> None:
        self.symbol(offset, line[31:34].strip())
        self._check_fields(offset, line, _ATOM_QUERIES)
        if _number(line, 36) == 4 and not self.charges:
            raise _untold(offset, "a radical in the atom block; write it as M  RAD")
        if _number(line[:36], 34) and isotopes and atom not in isotopes:
            raise _untold(offset, "an isotope in the atom block beside M  ISO lines")
        if _number(line, 39) in (1, 2):
            self.claims.parities.append(atom)
        if valence := _number(line, 48):
            self.claims.valences[atom] = 0 if valence == 15 else valence

    def _check_fields(self, offset: int, line: str, fields: Mapping[int, str]) -> None:
        for start, name in fields.items():
            if _number(line, start):
                raise _untold(offset, name)

    def _properties(self, first: int, lines: Sequence[str]) -> None:
        kinds: dict[int, tuple[int, str]] = {}
        for offset, line in enumerate(lines, first):
            code = line[3:6] if line.startswith("M  ") else line[:1]
            if line[:6] == "M  RAD":
                for atom, value in _entries(line):
                    self.radical(offset, atom, value)
            elif line[:6] == "M  STY":
                words = line[9:].split()
                pairs = zip(words[::2], words[1::2], strict=True)
                kinds |= {int(index): (offset, kind) for index, kind in pairs}
            elif line[:6] == "M  SDT" and line[11:].split()[:1] == [_IMPLICIT]:
                kinds.pop(int(line[7:10]), None)
            elif code not in ("CHG", "ISO") and not _GROUP_LINES.fullmatch(code):
                raise _untold(offset, _PROPERTIES.get(code, f"the line {line!r}"))
        for offset, kind in kinds.values():
            if kind != "SUP":
                raise _untold(offset, _group(kind))


_IMPLICIT = "MRV_IMPLICIT_H"
"""The data group with the hydrogens of an aromatic atom, which RDKit reads."""


def _group(kind: str) -> str:
    return f"a group of type {kind} (polymer, mixture or data)"


_KEY = re.compile(r"(\w+)=(\([^)]*\)|\S+)")
_ATOM_KEYS, _BOND_KEYS = {"CHG", "RAD", "CFG", "MASS", "VAL"}, {"CFG"}
_SECTIONS = {"CTAB", "ATOM", "BOND", "SGROUP", "COLLECTION"}


class _V3000(_Block):
    def read(self, lines: Sequence[str]) -> Claims:
        self.atoms: dict[str, int] = {}
        section = ""
        for offset, text in _joined(lines):
            words = text.split()
            if words[:1] in (["BEGIN"], ["END"]):
                if words[1:2] and words[1] not in _SECTIONS:
                    raise _untold(offset, f"a section {words[1]}")
                section = words[1] if words[0] == "BEGIN" and words[1:] else "CTAB"
                continue
            self._entry(offset, section, text, words)
        return self.claims

    def _entry(self, offset: int, section: str, text: str, words: list[str]) -> None:
        if section == "CTAB" and words[:1] == ["COUNTS"]:
            if len(words) > 4 and int(words[4]):
                raise _untold(offset, "3D objects")
        elif section == "ATOM" and len(words) > 1:
            self._atom(offset, text, words)
        elif section == "BOND" and len(words) > 3:
            self._bond(offset, text, words)
        elif section == "SGROUP" and len(words) > 1:
            implicit = words[1] == "DAT" and f"FIELDNAME={_IMPLICIT}" in text.replace('"', "")
            if words[1] != "SUP" and not implicit:
                raise _untold(offset, _group(words[1]))
        elif section == "COLLECTION" and words:
            if words[0] not in ("MDLV30/STEABS", "MDLV30/HILITE"):
                name = "alternatives of stereo" if "/STE" in words[0] else "a collection"
                raise _untold(offset, f"{name} ({words[0]})")
        else:
            raise _untold(offset, f"the line {text!r}")

    def _atom(self, offset: int, text: str, words: list[str]) -> None:
        atom = self.atoms[words[0]] = len(self.atoms)
        self.symbol(offset, words[1])
        keys = self._keys(offset, text, _ATOM_KEYS)
        self.radical(offset, atom, int(keys.get("RAD", 0)))
        if keys.get("CFG") in ("1", "2"):
            self.claims.parities.append(atom)
        if valence := int(keys.get("VAL", 0)):
            self.claims.valences[atom] = max(valence, 0)

    def _bond(self, offset: int, text: str, words: list[str]) -> None:
        keys = self._keys(offset, text, _BOND_KEYS)
        if any(word not in self.atoms for word in words[2:4]):
            raise no_block(f"a bond of atoms that are not there: {text!r}")
        ends = (self.atoms[words[2]], self.atoms[words[3]])
        self.bond(offset, ends, int(words[1]), keys.get("CFG") in ("1", "3"))

    def _keys(self, offset: int, text: str, told: set[str]) -> dict[str, str]:
        keys = dict(_KEY.findall(text))
        for key, value in keys.items():
            if key not in told and value != "0":
                raise _untold(offset, f"{key}={value}")
        return keys


def _joined(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The lines of a V3000 block without their prefix, continued lines as one."""
    begun, text = 4, ""
    for offset, line in enumerate(lines[4:], 4):
        if not line.startswith("M  V30 "):
            raise _untold(offset, f"the line {line!r}")
        begun = begun if text else offset
        text += line[7:].rstrip()
        if text.endswith("-"):
            text = text[:-1]
            continue
        yield begun, text
        text = ""
    if text:
        raise no_block("a continued line without an end")


def _number(line: str, start: int) -> int:
    """The number in the three columns from `start`; a field that is not there is 0."""
    return int(line[start : start + 3].strip() or 0)


def _entries(line: str) -> list[tuple[int, int]]:
    """Atoms, from 0, and values of a line `M  XXX`."""
    words = [int(word) for word in line[9:].split()]
    return [(atom - 1, value) for atom, value in zip(words[::2], words[1::2], strict=True)]
