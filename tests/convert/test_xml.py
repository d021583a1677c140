"""XML is read within bounds, and never another file than the one that is named."""

import time
from pathlib import Path

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import graphml

GRAPH = '<graph edgedefault="directed"><node id="{}"/></graph>'


def _labels(folder: Path, content: str | bytes) -> list[str]:
    path = folder / "g.graphml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (record,) = graphml([(path, path)])
    return [node["label"] for node in record["input"]["nodes"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    text = head + f"<graphml>{GRAPH.format('é')}</graphml>"
    assert _labels(tmp_path, text.encode(encoding)) == ["é"]


@pytest.mark.parametrize("encoding", ["gb2312", "unheard-of"])
def test_an_encoding_that_is_not_known(tmp_path: Path, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><graphml/>'
    with pytest.raises(InputError, match=r":1: the .*encoding"):
        _labels(tmp_path, text)


def test_entities_are_refused(tmp_path: Path) -> None:
    laugh = '<!DOCTYPE g [\n<!ENTITY a "ha">\n<!ENTITY b "&a;&a;&a;&a;&a;">]><graphml>&b;</graphml>'
    with pytest.raises(InputError, match=":2: entities must be those of XML itself, got a decl"):
        _labels(tmp_path, laugh)
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    outside = f'<!DOCTYPE g [<!ENTITY a SYSTEM "{secret}">]><graphml>&a;</graphml>'
    with pytest.raises(InputError, match="entities must be those of XML itself"):
        _labels(tmp_path, outside)


def test_a_document_type_elsewhere_is_not_read(tmp_path: Path) -> None:
    head = '<!DOCTYPE graphml SYSTEM "graphml.dtd">'
    assert _labels(tmp_path, f"{head}<graphml>{GRAPH.format('a&amp;&#98;')}</graphml>") == ["a&b"]
    with pytest.raises(InputError, match=r":2: entities must be .* got an undefined one"):
        _labels(tmp_path, f"{head}\n<graphml>{GRAPH.format('&nbsp;')}</graphml>")
    with pytest.raises(InputError, match=":1: the file must be XML, got undefined entity"):
        _labels(tmp_path, f"<graphml>{GRAPH.format('&nbsp;')}</graphml>")


def test_nesting_is_bounded(tmp_path: Path) -> None:
    began = time.perf_counter()
    with pytest.raises(InputError, match=r":2: elements must be nested at most 100 deep"):
        _labels(tmp_path, "<graphml>\n" + "<desc>" * 1_000_000)
    assert time.perf_counter() - began < 5


def test_text_goes_on_after_comments_and_in_sections(tmp_path: Path) -> None:
    key = '<key id="k" for="node" attr.name="label"/>'
    data = '<data key="k">a<!-- b -->c<![CDATA[<d>]]>&#101;</data>'
    graph = GRAPH.format("a").replace("/></graph>", f">{data}</node></graph>")
    assert _labels(tmp_path, f"<graphml>{key}{graph}</graphml>") == ["ac<d>e"]
