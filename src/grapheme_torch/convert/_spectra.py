"""Mass spectra to graphs of molecules: sets of peaks, of which none is an atom."""

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite
from typing import Any

from .._check import require
from ._chem import chem
from ._known_spectra import known_targets
from ._molecule import undirected_molecule
from ._peaks import json_object, number, read_peaks, strongest
from ._pieces import RESERVED, Piece, Record, Skip, line_pieces, records
from ._sources import STDIN, name_of
from ._spectral_search import Spectrum

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
    known: str = "",
    nearest: int = 3,
    apart: str = "compound",
    tolerance: float = 0.02,
) -> Iterator[Record]:
    """The peaks of a tandem mass spectrum to a graph of its molecule, or of a part of it.

    The input is a set: a node for each peak and one for the precursor, without edges or places.
    A node has three numbers: its m/z, what that has lost from the precursor, and its intensity.
    The largest intensity is 1, that of the precursor 0; the label of the precursor is its adduct.
    The target has no directions, and its atoms are in the order of the canonical SMILES.

    With `known` the input begins with the targets that similar spectra vote for, atoms and bonds.
    Two more numbers tell their similarity and their share of the votes. All nodes have positions.

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
        known: Training pairs that this format has made, whose targets go to inputs; empty: none.
        nearest: How many different targets of known spectra the input holds at most.
        apart: Known spectra that agree with a line in this key are left out for it.
        tolerance: How far two peaks that match may be apart, in dalton.

    Raises:
        InputError: "FILE:LINE: ..." at a line that is no such object. Also if an option is out of
            range, RDKit is missing or `known` is no such file.
    """
    chem()
    require(most >= 1, "`most`", "be at least 1", most, "Try 64.")
    require(nearest >= 1, "`nearest`", "be at least 1", nearest, "Try 3.")
    ok = isfinite(tolerance) and tolerance > 0
    require(ok, "`tolerance`", "be finite and above 0", tolerance, "Try 0.02.")
    one_input = known == STDIN and source == name_of(STDIN)
    kind, remedy = "be a file where spectra come from the standard input", "Save one of the two."
    require(not one_input, "`known`", kind, known, remedy)
    library = known_targets(known, target, apart, tolerance, kekulize=kekulize) if known else None
    used = {peaks, precursor}

    def make(piece: Piece) -> Record:
        found = json_object(piece.text)
        given = strongest(read_peaks(found, peaks), most)
        whole = number(found.get(precursor), f'the "{precursor}"')
        nodes = _nodes(given, whole, _adduct(found, adduct))
        wanted = _target(found, target, kekulize=kekulize)
        kept = {key: value for key, value in found.items() if key not in used}
        _check_free(kept)
        if library is None:
            numbered = [{"id": k, **node} for k, node in enumerate(nodes)]
            return {"input": {"nodes": numbered, "edges": []}, "target": wanted} | kept
        near = library.nearest(Spectrum(given, whole), nearest, found.get(apart))
        return {"input": library.before(nodes, near), "target": wanted} | kept

    return records(line_pieces(lines, source), make, skip)


def _nodes(peaks: list[tuple[float, float]], whole: float, adduct: str) -> list[dict[str, Any]]:
    """The precursor, and the peaks."""
    return [{"label": adduct, "x": [whole, 0.0, 0.0]}] + [
        {"label": _PEAK, "x": [mz, round(whole - mz, 6), round(share, 6)]} for mz, share in peaks
    ]


def _adduct(found: Mapping[str, Any], key: str) -> str:
    name = found.get(key)
    ok = name is None or isinstance(name, str)
    require(ok, f'the "{key}"', "be a text or null", name, "Name the key with --adduct.")
    return name or ""


def _target(found: Mapping[str, Any], key: str, *, kekulize: bool) -> dict[str, Any]:
    text = found.get(key)
    ok = isinstance(text, str)
    require(ok, f'the "{key}"', "be a SMILES", text, "Name the key with --target.")
    return undirected_molecule(str(text).strip(), kekulize=kekulize)[1]


def _check_free(kept: Mapping[str, Any]) -> None:
    for key in kept:
        require(key not in RESERVED, "a key that is kept", "be free", key, "Rename it.")
