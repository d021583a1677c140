"""GraphML and GEXF in pairs of files; networkx, which wrote them, as a second reader."""

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    (record,) = read([(path, path)], node_label="colour", edge_label="label")
    assert [node["label"] for node in record["input"]["nodes"]] == ["red", "b"]
    assert record["input"]["edges"][0]["label"] == "l"
    (record,) = read([(path, path)], node_label="id")
    assert [node["label"] for node in record["input"]["nodes"]] == ["a", "b"]


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
@pytest.mark.parametrize("side", ["node", "edge"])
def test_an_attribute_that_is_not_there_is_refused(
    tmp_path: Path, suffix: str, read: Any, write: Any, side: str
) -> None:
    path = tmp_path / f"g.{suffix}"
    write(_example(), path)
    reason = f"`{side}_label` must name an attribute that is there, got 'lable'. .*: .*label"
    with pytest.raises(InputError, match=rf"g.{suffix}:\d+: {reason}"):
        list(read([(path, path)], **{f"{side}_label": "lable"}))
    write(nx.DiGraph(), path)  # nothing there to be labelled
    assert len(list(read([(path, path)], **{f"{side}_label": "lable"}))) == 1


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
def test_name_labels_nodes_without_a_label(
    tmp_path: Path, suffix: str, read: Any, write: Any
) -> None:
    graph, path = nx.Graph(), tmp_path / f"g.{suffix}"
    graph.add_node("n0", name="Alice")
    write(graph, path)
    text = path.read_text(encoding="utf-8").replace(' label="n0"', "")
    path.write_text(text, encoding="utf-8")
    (record,) = read([(path, path)])
    assert record["input"]["nodes"] == [{"id": 0, "label": "Alice"}]


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
        ("<graph/>", ":1: the file must be a graph"),
        ('<a xmlns="urn:b"/>', ":1: the file must be a graph in .*, got `a` of 'urn:b'"),
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


LABEL = {
    str: st.text("ab é<&>\"'", max_size=3),
    int: st.integers(-99, 99),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
}


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """A graph some of whose nodes and edges have attributes, of one type each."""
    graph: Any = draw(st.sampled_from([nx.Graph, nx.DiGraph]))()
    values = {name: LABEL[draw(st.sampled_from(list(LABEL)))] for name in ("label", "kind")}
    attributes = st.fixed_dictionaries({}, optional=values)
    for node in range(draw(st.integers(0, 4))):
        graph.add_node(f"n{node}", **draw(attributes))
    ends = [(u, v) for u in graph for v in graph]
    for u, v in draw(st.lists(st.sampled_from(ends), max_size=5)) if ends else ():
        graph.add_edge(u, v, **draw(attributes))
    return graph


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
@settings(max_examples=50)
@given(graph=graphs())
def test_networkx_reads_the_same(suffix: str, read: Any, write: Any, graph: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"g.{suffix}"
        write(graph, path)
        (record,) = read([(path, path)])
        second = nx.read_graphml(path) if suffix == "graphml" else nx.read_gexf(path)
    found = record["input"]
    labels = [data.get("label") for _, data in second.nodes(data=True)]
    names = [
        str(name if label is None else label) for name, label in zip(second, labels, strict=True)
    ]
    assert [node["label"] for node in found["nodes"]] == names
    assert found["directed"] == second.is_directed()
    order = list(second)
    edges = {
        (order.index(u), order.index(v)): str(data.get("label", "next"))
        for u, v, data in second.edges(data=True)
    }
    assert len(found["edges"]) == len(edges)
    for edge in found["edges"]:
        ends = (edge["source"], edge["target"])
        assert (
            edges.get(ends, None if found["directed"] else edges.get(ends[::-1])) == edge["label"]
        )


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    suffix: str, read: Any, write: Any, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"g.{suffix}"
        write(_example(), path)
        whole = path.read_bytes()
        cut = st.integers(0, len(whole))
        begin, end, at = [*sorted((data.draw(cut), data.draw(cut))), data.draw(cut)]
        path.write_bytes(whole[:at] + whole[begin:end] + whole[at + data.draw(st.integers(0, 9)) :])
        found: list[Skipped] = []
        made = list(read([(path, path)], skip=found.append))
        assert len(made) + len(found) // 2 == 1
        assert all(".. " not in f"{skipped.reason} " for skipped in found)


@pytest.mark.parametrize(("suffix", "read", "write"), KINDS)
def test_a_compressed_file_is_read(tmp_path: Path, suffix: str, read: Any, write: Any) -> None:
    path, packed = tmp_path / f"g.{suffix}", tmp_path / f"g.{suffix}.gz"
    write(_example(), path)
    packed.write_bytes(gzip.compress(path.read_bytes()))
    (record,) = read([(path, packed)])
    assert record["input"] == record["target"]
    packed.write_bytes(packed.read_bytes()[:30])
    with pytest.raises(InputError, match=r"\.gz:1: the file must be readable, got Compressed file"):
        list(read([(path, packed)]))


def test_files_of_a_folder_may_be_compressed(tmp_path: Path) -> None:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "in" / "a.txt.gz").write_bytes(gzip.compress(b"text\n"))
    nx.write_graphml(_example(), tmp_path / "out" / "a.graphml.gz")
    out = tmp_path / "data.jsonl"
    convert("graphml", str(tmp_path / "in"), str(out), targets=str(tmp_path / "out"))
    (pair,) = read_pairs(out)
    assert (pair.extra["name"], "".join(pair.input.label)) == ("a", "text")


def test_a_text_has_no_byte_order_mark(tmp_path: Path) -> None:
    path, graph = tmp_path / "g.txt", tmp_path / "g.graphml"
    nx.write_graphml(_example(), graph)
    for content in (b"\xef\xbb\xbfab\r\n", b"ab\n", b"ab"):
        path.write_bytes(content)
        (record,) = graphml([(path, graph)])
        assert record["input"] == "ab"
    path.write_bytes(b"a\nb\xff")
    with pytest.raises(InputError, match=r"g.txt:2: the text must be valid UTF-8, got byte 0xff"):
        list(graphml([(path, graph)]))
