"""MOL blocks made of a few atoms, and how a test reads them."""

from collections.abc import Sequence
from typing import Any

from grapheme_torch.convert import Skipped, molecule_to_smiles, sdf

STAR = [(0, 0), (-1, 0), (0, 1), (1, 0), (0, -1)]
CHAIN = [(1.2 * k, 0.7 * (k % 2)) for k in range(9)]

ATOM_FIELDS = ["mass", "charge", "parity", "hydrogens", "care", "valence", "h0"]
ATOM_FIELDS += ["role", "component", "map", "inversion", "exact"]


def v2000(
    atoms: Sequence[str],
    bonds: Sequence[Sequence[int]],
    *extra: str,
    places: Sequence[tuple[float, float]] = CHAIN,
    **first: int,
) -> str:
    """A MOL block; `first` are fields of the first atom, `extra` lines before its end."""
    lines = ["", "  own", "", f"{len(atoms):3}{len(bonds):3}  0  0  0  0  0  0  0  0999 V2000"]
    for k, (symbol, (x, y)) in enumerate(zip(atoms, places, strict=False)):
        given = [first.get(name, 0) if k == 0 else 0 for name in ATOM_FIELDS]
        fields = f"{given[0]:2}" + "".join(f"{value:3}" for value in given[1:])
        lines.append(f"{x:10.4f}{y:10.4f}{0:10.4f} {symbol:3}{fields}")
    for bond in bonds:
        lines.append("".join(f"{value:3}" for value in [*bond, 0, 0, 0, 0][:7]))
    return "\n".join([*lines, *extra, "M  END", ""])


def v3000(atoms: Sequence[str], bonds: Sequence[str], *extra: str) -> str:
    """The same in version 3000; an atom is its symbol and further keys."""
    lines = ["", "  own", "", "  0  0  0     0  0            999 V3000", "M  V30 BEGIN CTAB"]
    groups = sum(line == "BEGIN SGROUP" for line in extra)
    lines += [f"M  V30 COUNTS {len(atoms)} {len(bonds)} {groups} 0 0", "M  V30 BEGIN ATOM"]
    for k, (atom, (x, y)) in enumerate(zip(atoms, STAR, strict=False), 1):
        symbol, _, keys = atom.partition(" ")
        lines.append(f"M  V30 {k} {symbol} {x} {y} 0 0 {keys}".rstrip())
    lines += ["M  V30 END ATOM", "M  V30 BEGIN BOND"]
    lines += [f"M  V30 {k} {bond}" for k, bond in enumerate(bonds, 1)]
    lines += ["M  V30 END BOND", *(f"M  V30 {line}" for line in extra)]
    return "\n".join([*lines, "M  V30 END CTAB", "M  END", ""])


def read(text: str, **options: Any) -> tuple[list[dict[str, Any]], list[Skipped]]:
    """The records of an SDF file, and what was refused."""
    skipped: list[Skipped] = []
    found = list(sdf(text.splitlines(), skip=skipped.append, verify=True, **options))
    return found, skipped


def smiles_of(text: str) -> str:
    """The SMILES of the one record of a file, whose graph says the same."""
    (record,) = sdf(text.splitlines(), verify=True)
    assert molecule_to_smiles(record["target"]) == record["input"]
    return str(record["input"])


def reason_of(text: str) -> str:
    """Line and reason of the first refusal in a file without any good record."""
    found, skipped = read(text)
    assert not found
    return f"{skipped[0].line}: {skipped[0].reason}"


METHANE = v2000(["C"], [])
WATER = v2000(["O"], [])
END = "$$$$\n"
