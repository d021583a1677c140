"""GraphML as other programs write it: what it says is read, or refused at its line."""

from pathlib import Path
from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import graphml

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
YED = "http://www.yworks.com/xml/graphml"
LABELS = (
    '<key id="d0" for="node" attr.name="label" attr.type="string"/>'
    '<key id="d1" for="edge" attr.name="label" attr.type="string"/>'
)
AB = '<node id="a"/><node id="b"/>'


def _read(folder: Path, text: str, **options: Any) -> Any:
    path = folder / "g.graphml"
    path.write_text(text, encoding="utf-8")
    (record,) = graphml([(path, path)], **options)
    assert record["input"] == record["target"]
    return record["input"]


def _file(inner: str, keys: str = LABELS, default: str | None = "directed") -> str:
    """A file whose graph begins in line 2, its content in line 3."""
    says = "" if default is None else f' edgedefault="{default}"'
    head = f'<graphml xmlns="{NAMESPACE}" xmlns:y="{YED}">{keys}'
    return f"{head}\n<graph{says}>\n{inner}\n</graph></graphml>"


def _names(document: Any) -> tuple[list[str], list[str]]:
    nodes, edges = document["nodes"], document["edges"]
    return [node["label"] for node in nodes], [edge["label"] for edge in edges]


@pytest.mark.parametrize(
    "namespace",
    [
        "",
        ' xmlns="http://graphml.graphdrawing.org/xmlns"',
        ' xmlns="https://graphml.graphdrawing.org/xmlns"',
        ' xmlns="http://graphml.graphdrawing.org/xmlns/1.0rc"',
        ' xmlns="http://graphml.graphdrawing.org/xmlns/graphml"',
    ],
)
def test_namespaces(tmp_path: Path, namespace: str) -> None:
    text = _file('<node id="a"><data key="d0">A</data></node>')
    text = text.replace(f' xmlns="{NAMESPACE}"', namespace)
    assert _names(_read(tmp_path, text)) == (["A"], [])
    prefixed = '<g:graphml xmlns:g="{0}"><g:graph edgedefault="directed"/></g:graphml>'
    assert _names(_read(tmp_path, prefixed.format(NAMESPACE))) == ([], [])


def test_another_namespace_is_named(tmp_path: Path) -> None:
    text = _file(AB).replace(NAMESPACE, "urn:other")
    with pytest.raises(InputError, match=r":1: .* got `graphml` of 'urn:other'\. Export it as Gr"):
        _read(tmp_path, text)
    text = _file('<x:node xmlns:x="urn:other" id="a"/>')
    with pytest.raises(InputError, match=r":3: .* got `node` of 'urn:other'"):
        _read(tmp_path, text)


@pytest.mark.parametrize("kind", ['for="node"', 'for="all"', ""])
def test_defaults(tmp_path: Path, kind: str) -> None:
    keys = (
        f'<key id="d0" {kind} attr.name="kind" attr.type="int"><default>07</default></key>'
        '<key id="d1" for="edge" attr.name="label"><default>road</default></key>'
    )
    inner = '<node id="a"/><node id="b"><data key="d0">8</data></node>'
    inner += '<edge source="a" target="b"/><edge source="b" target="a"><data key="d1"/></edge>'
    document = _read(tmp_path, _file(inner, keys), node_label="kind")
    assert _names(document) == (["7", "8"], ["road", ""])
    assert _names(_read(tmp_path, _file(inner, keys)))[0] == ["a", "b"]


def test_an_empty_default_is_none(tmp_path: Path) -> None:
    keys = '<key id="d0" for="node" attr.name="label" attr.type="{}"><default/></key>'
    for kind in ("string", "int", "boolean"):
        assert _names(_read(tmp_path, _file(AB, keys.format(kind))))[0] == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "text", "label"),
    [
        *[(kind, " 07 ", "7") for kind in ("int", "integer", "long", "short", "byte", "bigint")],
        ("BigInt", "123456789012345678901234567890", "123456789012345678901234567890"),
        ("double", "1", "1.0"),
        ("float", "1e-3", "0.001"),
        ("boolean", "TRUE", "True"),
        ("boolean", "0", "False"),
        ("string", " 07 ", " 07 "),
        ("decimal", "1.50", "1.50"),
        ("anything", "x", "x"),
        ("int", "", "a"),
    ],
)
def test_types(tmp_path: Path, kind: str, text: str, label: str) -> None:
    keys = f'<key id="k" for="node" attr.name="label" attr.type="{kind}"/>'
    inner = f'<node id="a"><data key="k">{text}</data></node>'
    assert _names(_read(tmp_path, _file(inner, keys)))[0] == [label]


@pytest.mark.parametrize("kind", ["int", "double", "boolean"])
def test_a_value_of_another_type_is_refused(tmp_path: Path, kind: str) -> None:
    keys = f'<key id="k" for="node" attr.name="label" attr.type="{kind}"/>'
    inner = '<node id="a"><data key="k">x</data></node>'
    reason = f":3: the attribute 'label' of node 'a' must be of its type, {kind}, got 'x'"
    with pytest.raises(InputError, match=reason):
        _read(tmp_path, _file(inner, keys))
    assert _names(_read(tmp_path, _file(inner, keys), node_label="id"))[0] == ["a"]


def test_keys_without_type_and_name_or_of_one_id(tmp_path: Path) -> None:
    keys = '<key id="label" for="edge"/><key id="label" for="node" attr.name="label"/>'
    inner = '<node id="a"><data key="label">A</data></node>'
    inner += '<edge source="a" target="a" sourceport="p"><data key="label">l</data></edge>'
    document = _read(tmp_path, _file(inner, keys))
    assert _names(document) == (["A"], ["l"])
    assert _names(_read(tmp_path, _file(inner, keys), edge_label="sourceport"))[1] == ["p"]


def test_ports_are_passed_over(tmp_path: Path) -> None:
    inner = '<node id="a"><port name="p"/></node><edge source="a" target="a" sourceport="p"/>'
    assert _names(_read(tmp_path, _file(inner))) == (["a"], ["next"])


@pytest.mark.parametrize(
    ("default", "says", "directed"),
    [
        ("directed", ("", ""), True),
        ("undirected", ("", ""), False),
        ("undirected", ("true", "true"), True),
        ("directed", ("false", ""), None),
        ("undirected", ("false", "true"), None),
        (None, ("true", "true"), True),
    ],
)
def test_directions(
    tmp_path: Path, default: str | None, says: tuple[str, str], directed: bool | None
) -> None:
    own = [f' directed="{word}"' if word else "" for word in says]
    inner = f'{AB}<edge source="b" target="a"{own[0]}/>\n<edge source="a" target="a"{own[1]}/>'
    if directed is None:
        reason = ":4: edges must be all directed or all undirected, got the edge from 'a' to 'a'"
        with pytest.raises(InputError, match=reason):
            _read(tmp_path, _file(inner, default=default))
        return
    document = _read(tmp_path, _file(inner, default=default))
    assert document["directed"] is directed
    ends = [(edge["source"], edge["target"]) for edge in document["edges"]]
    assert ends == [(1, 0), (0, 0)]  # each once


@pytest.mark.parametrize(
    ("default", "second"),
    [
        ("directed", ("a", "b")),
        ("undirected", ("a", "b")),
        ("undirected", ("b", "a")),
        ("undirected", ("a", "a")),
    ],
)
@pytest.mark.parametrize("ids", [("", ""), ("0", "0"), ("0", "1")])
def test_parallel_edges(
    tmp_path: Path, default: str, second: tuple[str, str], ids: tuple[str, str]
) -> None:
    own = [f' id="{name}"' if name else "" for name in ids]
    first = second if second == ("a", "a") else ("a", "b")
    ends = ['source="{}" target="{}"'.format(*pair) for pair in (first, second)]
    inner = f"{AB}<edge {ends[0]}{own[0]}/>\n<edge {ends[1]}{own[1]}/>"
    with pytest.raises(InputError, match=":4: edges must be one from a node to another, got two"):
        _read(tmp_path, _file(inner, default=default))


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ('<node id="a"><graph edgedefault="directed"/></node>', "got `graph`. Ungroup the nodes"),
        ('<node id="a" yfiles.foldertype="group"/>', "must be one node, got a group of yEd"),
        (f'{AB}<edge source="a" target="b"><graph/></edge>', "got `graph`"),
        ("<graph/>", "got `graph`"),
        ('<hyperedge><endpoint node="a"/></hyperedge>', "got `hyperedge`. Write it as a node"),
        ('<node id="a"><locator/></node>', "got `locator`"),
        ("<edges/>", "hold only `node`, `edge`, `desc`, `data`, got `edges`. Take it out"),
        (f'{AB}<node id="a"/>', "id of a node must be unique, got 'a' again, first in line 3"),
        ("<node/>", "the element `node` must have `id`"),
        (f'{AB}<edge source="a"/>', "the element `edge` must have `target`"),
        (f'{AB}<edge source="a" target="z"/>', "target of an edge must be a node of .*'z'"),
        (f'{AB}<edge source="z" target="a"/>', "source of an edge must be a node of .*'z'"),
        (f'{AB}<edge source="a" target="b" directed="?"/>', "must be true or false, got '?'"),
        ('<node id="a"><data key="d9">x</data></node>', "must be declared in the file, got 'd9'"),
        ('<node id="a"><data>x</data></node>', "the element `data` must have `key`"),
        (
            '<node id="a"><data key="d0">x<b/></data></node>',
            "must be one text, got the element `b`",
        ),
        (
            '<node id="a"><data key="d0">x</data><data key="d0">y</data></node>',
            "the attribute 'label' of node 'a' must have one value, got 'x' and 'y'",
        ),
    ],
)
def test_what_could_not_be_kept_is_refused(tmp_path: Path, inner: str, reason: str) -> None:
    with pytest.raises(InputError, match=f":3: .*{reason}"):
        _read(tmp_path, _file(inner))


def test_refusals_of_the_whole_file(tmp_path: Path) -> None:
    second = _file(AB).replace("</graph></graphml>", "</graph>\n<graph/></graphml>")
    key = '<key id="k" for="node"/>'
    edge = f'{AB}<edge source="a" target="b"/>'
    for text, reason in (
        (second, ":5: the file must hold one graph, got a second one"),
        ("<graphml/>", ":1: the file must hold a graph, got none"),
        ("<graphml><graph/><node/></graphml>", ":1: .* got `node`"),
        (_file(AB, key + key), ":1: the id of a key must be unique, got 'k'"),
        (_file(AB, "<key/>"), ":1: the element `key` must have `id`"),
        (_file(edge, default=None), ":3: `edgedefault` .* got nothing"),
        (_file(edge, default="mixed"), ":3: `edgedefault` .* got 'mixed'"),
    ):
        with pytest.raises(InputError, match=reason):
            _read(tmp_path, text)


@pytest.mark.parametrize("kind", ["ShapeNode", "GenericNode", "UMLClassNode", "TableNode", "Other"])
def test_labels_of_yed(tmp_path: Path, kind: str) -> None:
    keys = '<key id="d" for="node" yfiles.type="nodegraphics"/>'
    keys += '<key id="e" for="edge" yfiles.type="edgegraphics"/>'
    model = "<y:LabelModel/>"
    inner = (
        f'<node id="a"><data key="d"><y:{kind}><y:NodeLabel>A{model}</y:NodeLabel>'
        f'<y:Shape type="star"/></y:{kind}></data></node>'
        f'<node id="b"><data key="d"><y:{kind}><y:NodeLabel hasText="false">\n{model}</y:NodeLabel>'
        f"</y:{kind}></data></node>"
        '<edge source="a" target="b"><data key="e"><y:GenericEdge><y:EdgeLabel>l</y:EdgeLabel>'
        "</y:GenericEdge></data></edge>"
    )
    assert _names(_read(tmp_path, _file(inner, keys))) == (["A", "b"], ["l"])
    assert _names(_read(tmp_path, _file(inner, keys), node_label="shape_type"))[0] == ["star", "b"]
    two = inner.replace(f"<y:{kind}>", f"<y:{kind}><y:NodeLabel>row</y:NodeLabel>")
    with pytest.raises(InputError, match="of node 'a' must have one value, got 'row' and 'A'"):
        _read(tmp_path, _file(two, keys))


def test_labels_of_yfiles_for_html(tmp_path: Path) -> None:
    keys = '<key id="d" for="node" attr.name="NodeLabels"/>'
    label = '<x:List xmlns:x="urn:x"><y:Label><y:Label.Text>A</y:Label.Text></y:Label></x:List>'
    inner = f'<node id="a"><data key="d">{label}</data></node>'
    inner += '<node id="b"><data key="d"><y:Label Text="B"/></data></node>'
    assert _names(_read(tmp_path, _file(inner, keys)))[0] == ["A", "B"]
