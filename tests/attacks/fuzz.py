"""Random damage to good inputs of every reader: each gives a result or an `InputError`."""

import random
import time
from collections.abc import Callable
from typing import Any

from grapheme_torch import InputError, graph_from_node_link, text_to_graph
from grapheme_torch.convert import conllu, smiles
from grapheme_torch.convert._graphml import read_graphml
from grapheme_torch.data import parse_document
from grapheme_torch.data._records import parse_pairs

Reader = Callable[[bytes], Any]

_NODES = (b'{"nodes": [{"id": 0, "label": "a", "position": 0}, '
          b'{"id": "b", "label": "", "position": 1}], "edges": [{"source": 0, "target": "b", '
          b'"label": "x"}], "directed": false}')  # fmt: skip
_SENTENCE = """# sent_id = 1
# text = I don't.
1\tI\ti\tPRON\t_\t_\t3\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\t_\t_\t3\taux\t_\t_
3\tn't\tnot\tPART\t_\t_\t0\troot\t_\t_
3.1\tx\t_\t_\t_\t_\t_\t_\t1:dep\t_
4\t.\t.\tPUNCT\t_\t_\t3\tpunct\t_\t_

"""
_GRAPHML = b"""<?xml version="1.0"?><graphml><key id="d0" for="node" attr.name="label"
attr.type="string"><default>z</default></key><graph edgedefault="directed"><node id="a"><data
key="d0">A &amp; B</data></node><node id="b"/><edge source="a" target="b"/></graph></graphml>"""

SEEDS: dict[str, tuple[bytes, ...]] = {
    "jsonl": (b'{"input": "abc", "target": "ab", "x": [1, 2.5e3, null]}\n{"input": "a", "target": '
              + _NODES + b"}\n",),
    "node-link": (_NODES, b'{"nodes": [], "edges": []}'),
    "conllu": (_SENTENCE.encode(),),
    "smiles": (b"CC(=O)Oc1ccccc1C(=O)O", b"C[C@@H](N)C(=O)O", b"[Na+].[Cl-]", b"F/C=C/F",
               b"[13CH2]%10CC%10", b"c1ccc2[nH]ccc2c1"),
    "graphml": (_GRAPHML,),
    "text_to_graph": (
        "Wörld 🇩🇪 e\u0301 👨‍👩‍👧 \u1100\u1161\r\n\u200d".encode(), b"What color is sky?"),
}  # fmt: skip
"""Good inputs, by format."""

_WORDS = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1e999", b"NaN", b"-0", b"9" * 400,
    b"[" * 50,
    b"{", b"}", b'"', b"\\ud800", b"\n", b"\r", b"\t", b"<!DOCTYPE x>", b"<!ENTITY a 'b'>", b"&a;",
    b"<graph>", b"0", b"-1", b"99999999999", b"null",
    b"true", b"(", b")", b"%99", b"@", b"\xcc\x81",
    b"\xf0\x9f\x87\xa9", b"\xe2\x80\x8d", b"[", b"]", b"[Zz]", b"=", b"#", b".", b"2-1",
)  # fmt: skip

READERS: dict[str, Reader] = {
    "jsonl": lambda raw: parse_pairs(raw, "fuzz"),
    "node-link": lambda raw: graph_from_node_link(_document(raw)),
    "conllu": lambda raw: list(conllu(raw.splitlines(keepends=True))),
    "smiles": lambda raw: list(smiles(raw.splitlines())),
    "graphml": read_graphml,
    "text_to_graph": lambda raw: text_to_graph(raw.decode(errors="surrogateescape")),
}
"""What reads each format."""


def damaged(seeds: tuple[bytes, ...], draw: random.Random) -> bytes:
    """A good input with some bytes changed, removed, doubled, or words put in."""
    raw = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((1, 1, 1, 1, 2, 3, 8))):
        at, size = draw.randrange(len(raw) + 1), draw.choice((1, 1, 2, 4, 16))
        match draw.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                del raw[at : at + size]
            case 2:
                raw[at:at] = draw.choice(_WORDS)
            case 3:
                raw[at:at] = raw[at : at + 4 * size]
            case 4:
                other = draw.choice(seeds)
                start = draw.randrange(len(other) + 1)
                raw[at:] = other[start:]
            case _:
                raw[at : at + size] = draw.choice(_WORDS)
    return bytes(raw)


def fuzz(kind: str, count: int, seed: int = 0) -> dict[str, Any]:
    """Reads so many damaged inputs of a format, and counts what came of them.

    Returns:
        The numbers of results and refusals, the longest time, and each input with another end.
    """
    draw, read = random.Random(seed), READERS[kind]
    results, refused, longest, faults = 0, 0, 0.0, {}
    for _ in range(count):
        raw = damaged(SEEDS[kind], draw)
        began = time.perf_counter()
        try:
            read(raw)
            results += 1
        except InputError:
            refused += 1
        except Exception as error:  # noqa: BLE001 (every other end is a fault to be told)
            faults.setdefault(f"{type(error).__name__}: {error}"[:200], repr(raw))
        longest = max(longest, time.perf_counter() - began)
    return {
        "trials": count, "results": results, "refused": refused, "faults": faults,
        "longest_seconds": round(longest, 3),
    }  # fmt: skip


def _document(raw: bytes) -> Any:
    try:
        return parse_document(raw)
    except (ValueError, RecursionError) as error:  # as whoever reads the file says it
        raise InputError(str(error)) from None
