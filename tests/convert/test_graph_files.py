"""GraphML and GEXF, as networkx writes them, in pairs of files."""

from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import Skipped, convert, gexf, graphml
from grapheme_torch.data import read_pairs

KINDS: list[Any] = [
    pytest.param("graphml", graphml, nx.write_graphml, id="graphml"),
    pytest.param("gexf", gexf, nx.write_gexf, id="gexf"),
]


def _example() -> "nx.DiGraph[str]":
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("a", label="x", colour="red")
    graph.add_edge("a", "b", label="l")
    return graph


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
def test_two_files_are_a_pair(tmp_path: Path, suffix: str, read: Any, write: Any) -> None:
    graph = _example()
    given, wanted = tmp_path / f"g.{suffix}", tmp_path / f"h.{suffix}"
    write(graph, given)
    write(graph.to_undirected(), wanted)
    (record,) = read([(given, wanted)])
    nodes = [{"id": 0, "label": "x"}, {"id": 1, "label": "b"}]
    edges = [{"source": 0, "target": 1, "label": "l"}]
    assert record["input"] == {"directed": True, "nodes": nodes, "edges": edges}
    assert record["target"] == {"directed": False, "nodes": nodes, "edges": edges}
    assert record["name"] == "g"


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
def test_attributes_are_chosen(tmp_path: Path, suffix: str, read: Any, write: Any) -> None:
    path = tmp_path / f"g.{suffix}"
    write(_example(), path)
    (record,) = read([(path, path)], node_label="colour", edge_label="weight")
    assert [node["label"] for node in record["input"]["nodes"]] == ["red", "b"]
    assert record["input"]["edges"][0]["label"] in ("next", "1.0")  # GEXF has a weight itself


def test_two_folders_are_many(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    for k in range(3):
        (tmp_path / "in" / f"{k}.txt").write_text(f"text {k}\n", encoding="utf-8")
        nx.write_graphml(_example(), tmp_path / "out" / f"{k}.graphml")
    folders = (str(tmp_path / "in"), str(tmp_path / "data.jsonl"))
    done = convert("graphml", *folders, targets=str(tmp_path / "out"))
    assert done.records == 3
    pairs = read_pairs(tmp_path / "data.jsonl")
    assert [pair.extra["name"] for pair in pairs] == ["0", "1", "2"]
    assert "".join(pairs[2].input.label) == "text 2"
    (tmp_path / "in" / "3.txt").touch()
    with pytest.raises(InputError, match="must have files of the same names, got '3' in one"):
        convert("graphml", *folders, targets=str(tmp_path / "out"), overwrite=True)
    with pytest.raises(InputError, match="inputs and targets must be alike"):
        convert("graphml", *folders, targets=str(tmp_path / "in" / "1.txt"), overwrite=True)
    with pytest.raises(InputError, match="`targets` must be given"):
        convert("graphml", *folders, overwrite=True)


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<a>\n<b></a>", ":2: the file must be XML"),
        ("", ":1: the file must be XML"),
        ("<html/>", ":1: the file must be a graph"),
        (None, ":1: the file must be readable, got No such file"),
    ],
)
def test_a_bad_file_is_named(
    tmp_path: Path, suffix: str, read: Any, write: Any, content: str | None, reason: str
) -> None:
    path, good = tmp_path / f"bad.{suffix}", tmp_path / f"good.{suffix}"
    write(_example(), good)
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"bad.{suffix}{reason}"):
        list(read([(good, path)]))
    found: list[Skipped] = []
    assert len(list(read([(good, path), (good, good)], skip=found.append))) == 1
    assert [(Path(skipped.source), skipped.text) for skipped in found] == [(path, None)]


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
def test_parallel_edges_are_refused(tmp_path: Path, suffix: str, read: Any, write: Any) -> None:
    graph: nx.MultiGraph[int] = nx.MultiGraph([(1, 2), (1, 2)])
    path = tmp_path / f"g.{suffix}"
    write(graph, path)
    with pytest.raises(InputError, match="edges must be one from a node to another"):
        list(read([(path, path)]))
