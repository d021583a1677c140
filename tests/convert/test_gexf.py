"""GEXF as other programs write it: what it says is read, or refused at its line."""

from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import gexf

AB = '<node id="a" label="A"/><node id="b" label="B"/>'
KIND = '<attribute id="0" title="kind" type="string"/>'


def _read(folder: Path, text: str, **options: Any) -> Any:
    path = folder / "g.gexf"
    path.write_text(text, encoding="utf-8")
    (record,) = gexf([(path, path)], **options)
    assert record["input"] == record["target"]
    return record["input"]


def _file(
    nodes: str, edges: str = "", fields: str = KIND, default: str = "directed", kind: str = "node"
) -> str:
    """A file whose nodes begin in line 2, its edges in line 3."""
    return (
        f'<gexf xmlns="http://gexf.net/1.3"><graph defaultedgetype="{default}">'
        f'<attributes class="{kind}">{fields}</attributes><nodes>\n{nodes}</nodes>'
        f"<edges>\n{edges}</edges></graph></gexf>"
    )


def _names(document: Any) -> tuple[list[str], list[str]]:
    nodes, edges = document["nodes"], document["edges"]
    return [node["label"] for node in nodes], [edge["label"] for edge in edges]


def _ends(document: Any) -> list[tuple[int, int]]:
    return [(edge["source"], edge["target"]) for edge in document["edges"]]


@pytest.mark.parametrize(
    "namespace",
    [
        None,
        "http://www.gephi.org/gexf",
        *(
            f"http://{host}gexf.net/{version}"
            for host in ("", "www.")
            for version in ("1.1draft", "1.2draft", "1.2", "1.3draft", "1.3")
        ),
        "https://gexf.net/1.3",
    ],
)
def test_namespaces(tmp_path: Path, namespace: str | None) -> None:
    ours = "" if namespace is None else f' xmlns="{namespace}"'
    text = _file(AB).replace(' xmlns="http://gexf.net/1.3"', ours)
    look = '<node id="c" label="C"><viz:color r="1"/><viz:shape value="disc"/></node>'
    text = text.replace("</nodes>", look + "</nodes>")
    text = text.replace("<gexf", f'<gexf xmlns:viz="{namespace or "urn:gexf"}/viz"')
    assert _names(_read(tmp_path, text)) == (["A", "B", "C"], [])
    with pytest.raises(InputError, match=r":1: .* a graph in GEXF, got `gexf` of 'urn:other'. Exp"):
        _read(tmp_path, _file(AB).replace("http://gexf.net/1.3", "urn:other"))


def test_what_is_absent_is_not_called_none(tmp_path: Path) -> None:
    nodes = '<node id="a"/><node id="b"><attvalues><attvalue for="0"/></attvalues></node>'
    edges = '<edge source="a" target="b"><attvalues><attvalue for="0"/></attvalues></edge>'
    text = _file(nodes, edges).replace(
        "<nodes>", f'<attributes class="edge">{KIND}</attributes><nodes>'
    )
    assert _names(_read(tmp_path, text)) == (["a", "b"], ["next"])
    options = {"node_label": "kind", "edge_label": "kind"}
    assert _names(_read(tmp_path, text, **options)) == (["a", "b"], ["next"])
    assert _names(_read(tmp_path, text, edge_label="weight"))[1] == ["1.0"]


@pytest.mark.parametrize(
    ("kind", "default", "label"),
    [
        ("string", "dd", "dd"),
        ("string", "", "a"),
        ("boolean", "true", "True"),
        ("short", "07", "7"),
        ("bigdecimal", "1.50", "1.50"),
    ],
)
def test_defaults(tmp_path: Path, kind: str, default: str, label: str) -> None:
    field = f'<attribute id="0" title="kind" type="{kind}"><default>{default}</default></attribute>'
    document = _read(tmp_path, _file('<node id="a" label="A"/>', fields=field), node_label="kind")
    assert _names(document)[0] == [label]
    edges = '<edge source="a" target="b"/>'
    text = _file(AB, edges, field, kind="edge")
    wanted = label if default else "next"
    assert _names(_read(tmp_path, text, edge_label="kind"))[1] == [wanted]
    with pytest.raises(InputError, match=r"`node_label` must name .* 'kind'\. .*: id, label\."):
        _read(tmp_path, text, node_label="kind")


@pytest.mark.parametrize(
    ("default", "types", "ends"),
    [
        ("directed", ("", ""), [(1, 0), (0, 0)]),
        ("undirected", ("", ""), [(1, 0), (0, 0)]),
        ("undirected", ("directed", "directed"), [(1, 0), (0, 0)]),
        ("mutual", ("", ""), [(1, 0), (0, 1), (0, 0)]),
        ("directed", ("mutual", ""), [(1, 0), (0, 1), (0, 0)]),
        ("directed", ("", "undirected"), None),
        ("undirected", ("mutual", ""), None),
    ],
)
def test_directions(
    tmp_path: Path, default: str, types: tuple[str, str], ends: list[tuple[int, int]] | None
) -> None:
    own = [f' type="{word}"' if word else "" for word in types]
    edges = f'<edge source="b" target="a"{own[0]}/>\n<edge source="a" target="a"{own[1]}/>'
    text = _file(AB, edges, default=default)
    if ends is None:
        with pytest.raises(InputError, match=":4: edges must be all directed or all undirected"):
            _read(tmp_path, text)
        return
    document = _read(tmp_path, text)
    assert _ends(document) == ends
    assert document["directed"] is not (default == "undirected" and types == ("", ""))


def test_a_graph_that_does_not_say_is_undirected(tmp_path: Path) -> None:
    text = _file(AB, '<edge source="b" target="a"/>').replace(' defaultedgetype="directed"', "")
    assert _read(tmp_path, text)["directed"] is False  # so says the format


@pytest.mark.parametrize("ids", [("", ""), ("0", "0"), ("0", "1")])
def test_parallel_edges(tmp_path: Path, ids: tuple[str, str]) -> None:
    own = [f' id="{name}"' if name else "" for name in ids]
    turned = f'<edge source="a" target="b"{own[0]}/>\n<edge source="b" target="a"{own[1]}/>'
    assert _ends(_read(tmp_path, _file(AB, turned))) == [(0, 1), (1, 0)]
    same = turned.replace('source="b" target="a"', 'source="a" target="b"')
    mutual = turned.replace("<edge", '<edge type="mutual"', 1)
    for text in (_file(AB, same), _file(AB, turned, default="undirected"), _file(AB, mutual)):
        with pytest.raises(InputError, match=":4: edges must be one from a node to another, got"):
            _read(tmp_path, text)


def _value(inside: str) -> str:
    return f'<node id="a"><attvalues><attvalue for="0" value="x" {inside}/></attvalues></node>'


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ('<node id="a"><nodes><node id="b"/></nodes></node>', "got `nodes`. Export .* hierarchy"),
        ('<node id="a"><parents><parent for="b"/></parents></node>', "got `parents`"),
        ('<node id="a"/><node id="b" pid="a"/>', "stand in no other node, got 'b' within 'a'"),
        ('<node id="a"><spells><spell start="1"/></spells></node>', "got `spells`. .* per time"),
        ('<node id="a"><slices/></node>', "got `slices`"),
        (
            '<node id="a" start="2009"/>',
            "node 'a' must be there at all times, got `start`, a value",
        ),
        (_value('start="2009"'), "must be one text, got a value per time"),
        (_value('timestamp="1"'), "must be one text, got a value per time"),
        (_value("").replace('for="0"', 'for="9"'), "must be declared in the file, got '9'"),
        (_value("").replace('for="0"', ""), "the element `attvalue` must have `id`"),
        ('<node id="a"/><node id="a"/>', "id of a node must be unique, got 'a' again"),
        ("<node/>", "the element `node` must have `id`"),
        ("<edge/>", "the element `nodes` must hold only `node`, got `edge`"),
        ('<node id="a"><data/></node>', "got `data`"),
    ],
)
def test_what_could_not_be_kept_is_refused(tmp_path: Path, nodes: str, reason: str) -> None:
    with pytest.raises(InputError, match=f":2: .*{reason}"):
        _read(tmp_path, _file(nodes), node_label="kind" if "value=" in nodes else None)


@pytest.mark.parametrize(
    ("edge", "reason"),
    [
        ('<edge source="a"/>', "the element `edge` must have `target`"),
        ('<edge source="a" target="z"/>', "target of an edge must be a node of the file, got 'z'"),
        ('<edge source="a" target="b" type="dir"/>', "must be directed, undirected or mutual, got"),
        ('<edge source="a" target="b" end="2009"/>', "an edge must be there at all times"),
        ('<edge source="a" target="b"><spells/></edge>', "got `spells`"),
    ],
)
def test_refused_edges(tmp_path: Path, edge: str, reason: str) -> None:
    with pytest.raises(InputError, match=f":3: .*{reason}"):
        _read(tmp_path, _file(AB, edge))


def test_refusals_of_the_whole_file(tmp_path: Path) -> None:
    for text, reason in (
        (_file(AB).replace("</graph>", "</graph>\n<graph/>"), ":4: the file must hold one graph"),
        ("<gexf/>", ":1: the file must hold a graph, got none"),
        (_file(AB, kind="graph"), ":1: the class of attributes must be node or edge, got 'graph'"),
        (_file(AB, fields=KIND + KIND), ":1: the id of an attribute must be unique, got '0'"),
        (_file(AB, default="both"), ":1: `defaultedgetype` must be directed, .* got 'both'"),
    ):
        with pytest.raises(InputError, match=reason):
            _read(tmp_path, text)


def test_several_lists_of_nodes_and_a_weight_that_is_not_declared(tmp_path: Path) -> None:
    edge = '<edge source="a" target="c"><attvalues><attvalue for="weight" value="2"/></attvalues>'
    text = _file(AB, edge + "</edge>").replace("<edges>", '<nodes><node id="c"/></nodes><edges>')
    assert _names(_read(tmp_path, text, edge_label="weight")) == (["A", "B", "c"], ["2.0"])
