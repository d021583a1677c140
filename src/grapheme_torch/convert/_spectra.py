"""Mass spectra to graphs of molecules: sets of peaks, of which none is an atom."""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from .._check import require
from ._chem import chem
from ._molecule import undirected_molecule
from ._pieces import RESERVED, Piece, Record, Skip, line_pieces, parsed, records

_PEAK = "peak"
"""Label of a peak; that of the precursor is its adduct."""


def spectra(
    lines: Iterable[bytes | str],
    *,
    source: str = "<memory>",
    skip: Skip | None = None,
    target: str = "smiles",
    peaks: str = "peaks",
    precursor: str = "precursor_mz",
    adduct: str = "adduct",
    most: int = 64,
    kekulize: bool = False,
) -> Iterator[Record]:
    """The peaks of a tandem mass spectrum to a graph of its molecule, or of a part of it.

    The input is a set: a node for each peak and one for the precursor, without edges or places.
    A node has three numbers: its m/z, what that has lost from the precursor, and its intensity.
    The largest intensity is 1, that of the precursor 0; the label of the precursor is its adduct.
    The target has no directions, and its atoms are in the order of the canonical SMILES.

    Args:
        lines: A JSON object a line.
        source: Name of the file, for messages.
        skip: Called with each line that is refused; without it the first one is raised.
        target: The key of the SMILES of the target, such as that of the molecule or its scaffold.
        peaks: The key of the peaks, a list of `[m/z, intensity]`.
        precursor: The key of the m/z of the precursor.
        adduct: The key of the adduct; it may be absent or null.
        most: How many peaks are kept, the strongest.
        kekulize: Whether aromatic bonds are written as single and double ones.

    Raises:
        InputError: "FILE:LINE: ..." at a line that is no such object. Also if an option is out of
            range or RDKit is missing.
    """
    chem()
    require(most >= 1, "`most`", "be at least 1", most, "Try 64.")
    used = {peaks, precursor}

    def make(piece: Piece) -> Record:
        found = _object(piece.text)
        given = _peaks(found, peaks)
        whole = _number(found.get(precursor), f'the "{precursor}"')
        name = found.get(adduct)
        ok = name is None or isinstance(name, str)
        require(ok, f'the "{adduct}"', "be a text or null", name, "Name the key with --adduct.")
        text = found.get(target)
        what = f'the "{target}"'
        require(isinstance(text, str), what, "be a SMILES", text, "Name the key with --target.")
        _, wanted = undirected_molecule(str(text).strip(), kekulize=kekulize)
        nodes = [{"label": name or "", "x": [whole, 0.0, 0.0]}]
        nodes += [
            {"label": _PEAK, "x": [mz, round(whole - mz, 6), round(share, 6)]}
            for mz, share in _strongest(given, most)
        ]
        numbered = [{"id": k, **node} for k, node in enumerate(nodes)]
        kept = {key: value for key, value in found.items() if key not in used}
        _check_free(kept)
        return {"input": {"nodes": numbered, "edges": []}, "target": wanted} | kept

    return records(line_pieces(lines, source), make, skip)


def _object(text: str) -> Mapping[str, Any]:
    remedy = "Write one JSON object a line."
    found = parsed(text, remedy)
    require(isinstance(found, dict), "the line", "be a JSON object", found, remedy)
    return dict(found)


def _peaks(found: Mapping[str, Any], key: str) -> list[tuple[float, float]]:
    """The peaks of a spectrum: m/z and intensity."""
    value, name = found.get(key), f'the "{key}"'
    remedy = "Write [[m/z, intensity], ...], or name the key with --peaks."
    ok = isinstance(value, list) and bool(value)
    require(ok, name, "be a list of peaks", value, remedy)
    read = []
    for k, peak in enumerate(value or ()):
        pair = isinstance(peak, list) and len(peak) == 2
        require(pair, f"peak {k} of {name}", "be [m/z, intensity]", peak, remedy)
        mz, intensity = (_number(one, f"peak {k} of {name}") for one in peak)
        read.append((mz, intensity))
    top = max(intensity for _, intensity in read)
    require(top > 0, f"the intensities of {name}", "be above 0", top, "Leave the line out.")
    return [(mz, intensity / top) for mz, intensity in read]


def _strongest(peaks: list[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """The strongest peaks, by m/z."""
    return sorted(sorted(peaks, key=lambda peak: -peak[1])[:most])


def _number(value: Any, name: str) -> float:
    ok = isinstance(value, int | float) and not isinstance(value, bool)
    ok = ok and isfinite(value) and value >= 0
    require(ok, name, "be a finite number that is not negative", value, "Repair the line.")
    return float(value)


def _check_free(kept: Mapping[str, Any]) -> None:
    for key in kept:
        require(key not in RESERVED, "a key that is kept", "be free", key, "Rename it.")
