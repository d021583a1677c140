"""Training pairs of spectra, whose targets are put into the inputs of others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._check import Received, require
from ._molecule import undirected_molecule
from ._peaks import json_object, number
from ._pieces import Piece, Record, line_pieces, records
from ._sources import lines_of, name_of
from ._spectral_search import KnownSpectra, Neighbour, Spectrum

_REMEDY = "Name a data set that `grapheme convert spectra` made without --known."

_OF_A_PEAK = 3
"""Numbers of a node without `known`: m/z, loss, share of the largest intensity."""


@dataclass(frozen=True)
class KnownTargets:
    """The targets of known spectra, as graphs.

    Args:
        spectra: The search among the spectra.
        graphs: The node-link document of each target, by its SMILES.
    """

    spectra: KnownSpectra
    graphs: Mapping[str, Mapping[str, Any]]

    def nearest(self, asked: Spectrum, most: int, group: Any) -> list[Neighbour]:
        """At most so many targets that the most similar spectra vote for.

        Args:
            asked: The spectrum that is asked about.
            most: How many targets at most.
            group: Known spectra that have this value are left out; None: none is.
        """
        return self.spectra.nearest(asked, most, _group(group))

    def before(
        self, nodes: Sequence[Mapping[str, Any]], near: Sequence[Neighbour]
    ) -> dict[str, Any]:
        """The input of some nodes, with the targets of `near` before them."""
        made: list[dict[str, Any]] = []
        edges: list[dict[str, Any]] = []
        for one in near:
            graph, first = self.graphs[one.target], len(made)
            numbers = [0.0, 0.0, 0.0, round(one.similarity, 6), round(one.share, 6)]
            made += [{"label": node["label"], "x": numbers} for node in graph["nodes"]]
            edges += [
                {**edge, "source": edge["source"] + first, "target": edge["target"] + first}
                for edge in graph["edges"]
            ]
        made += [{"label": node["label"], "x": [*node["x"], 0.0, 0.0]} for node in nodes]
        # Without positions the atoms of a ring would be alike to a network.
        placed = [{"id": k, "position": k, **node} for k, node in enumerate(made)]
        return {"nodes": placed, "edges": edges, "directed": False}


def known_targets(
    path: str, target: str, apart: str, tolerance: float, *, kekulize: bool
) -> KnownTargets:
    """The targets of a data set that the format `spectra` has made.

    Args:
        path: The data set, JSON Lines.
        target: The key of the SMILES of the target.
        apart: The key of what known spectra have in common that are left out together.
        tolerance: Of m/z, in dalton.
        kekulize: Whether the aromatic bonds of the targets are single and double ones.

    Raises:
        InputError: "FILE:LINE: ..." at a line that is no such pair. Also if the file cannot be
            read, or holds none.
    """
    graphs: dict[str, Mapping[str, Any]] = {}

    def make(piece: Piece) -> Record:
        found = json_object(piece.text)
        name = _name(found, target)
        if name not in graphs:
            graphs[name] = undirected_molecule(name, kekulize=kekulize)[1]
        _check_target(found.get("target"), graphs[name], target)
        spectrum = _spectrum(found.get("input"))
        return {"spectrum": spectrum, "name": name, "group": _group(found.get(apart))}

    rows = [*records(line_pieces(lines_of(path, None), name_of(path)), make, None)]
    got = Received("none")
    require(bool(rows), f"{path}: the known spectra", "be at least one pair", got, _REMEDY)
    known, names, groups = ([row[key] for row in rows] for key in ("spectrum", "name", "group"))
    return KnownTargets(KnownSpectra(known, names, groups, tolerance), graphs)


def _group(value: Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)


def _name(found: Mapping[str, Any], key: str) -> str:
    """The SMILES of the target, which the data set keeps."""
    name = found.get(key)
    remedy = "Convert the known spectra with the same --target."
    require(isinstance(name, str), f'the "{key}" of a known pair', "be a SMILES", name, remedy)
    return str(name).strip()


def _check_target(given: Any, wanted: Mapping[str, Any], key: str) -> None:
    """Refuses the target of another key, or with other bonds: it would be copied unseen."""
    remedy = "Convert the known spectra with the same --target and --kekulize."
    require(given == wanted, "the target of a known pair", f'be that of its "{key}"', given, remedy)


def _spectrum(given: Any) -> Spectrum:
    """The precursor and the peaks in the input of a pair, whose first node is the precursor."""
    what = "the input of a known pair"
    ok = isinstance(given, dict) and isinstance(given.get("nodes"), list)
    require(ok, what, "be a graph of peaks", given, _REMEDY)
    rows: list[Any] = [node.get("x") if isinstance(node, dict) else None for node in given["nodes"]]
    ok = all(isinstance(row, list) and len(row) == _OF_A_PEAK for row in rows)
    require(ok, f"the nodes of {what}", "have three numbers each", _odd(rows), _REMEDY)
    ok = len(rows) > 1 and given.get("edges") == []
    require(ok, what, "be a precursor and peaks, without edges", given, _REMEDY)
    peaks = [(number(mz, "an m/z"), number(share, "an intensity")) for mz, _, share in rows[1:]]
    top = max(share for _, share in peaks)
    require(top > 0, f"the intensities of {what}", "be above 0", top, _REMEDY)
    return Spectrum(peaks, number(rows[0][0], "the m/z of a precursor"))


def _odd(rows: Sequence[Any]) -> Any:
    """The first that is not three numbers, or None."""
    return next((row for row in rows if not isinstance(row, list) or len(row) != _OF_A_PEAK), None)
