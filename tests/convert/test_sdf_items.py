"""Data items of SDF records: no line of them is lost."""

from typing import Any

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import sdf

from .blocks import END, METHANE, WATER, read, reason_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("> <dose>\n10\n", {"dose": "10"}),
        ("> <dose>\n10\n\n", {"dose": "10"}),
        (">  <a>  (1)\n1\n\n> 25 <b> (MD-1) DT13\n2\n", {"a": "1", "b": "2"}),
        (">  <a>  (1)\n1\n\n> DT12\n3\n", {"a": "1", "DT12": "3"}),
        ("> <d>\n1\n\n> <d>\n2\n\n> <d>\n3\n", {"d": ["1", "2", "3"]}),
        ("> <_id>\n7\n\n> <>\nx\n\n> <numArom>\n1\n", {"_id": "7", "": "x", "numArom": "1"}),
        ("> <_Name>\nx\n\n> <__computedProps>\ny\n", {"_Name": "x", "__computedProps": "y"}),
        ("> <c>\none\n\ntwo\n\n\n> <d>\n3\n", {"c": "one\n\ntwo", "d": "3"}),
        ("> <price>\n$$$$100\n\n> <p>\n>5\n", {"price": "$$$$100", "p": ">5"}),
        ("> <empty>\n\n\n> <b>\n1\n", {"empty": "", "b": "1"}),
        ("> <IC50 > 5>\n  1 \n", {"IC50 > 5": "  1 "}),
    ],
)
def test_every_data_item_is_kept(data: str, expected: dict[str, Any]) -> None:
    found, skipped = read(METHANE + data + END + WATER)
    assert not skipped
    assert [record["properties"] for record in found] == [expected, {}]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (WATER, 8, "text after M  END must be a data item, got '  own'.*End each molecule with"),
        ("two" + WATER, 7, "text after M  END must be a data item, got 'two'"),
        (" $$$$\n" + WATER, 7, r"`\$\$\$\$` must begin its line, got ' \$\$\$\$'"),
        ("> <a>\n1\n $$$$\n" + WATER, 9, r"`\$\$\$\$` must begin its line"),
        ("> <a>\n1\n\n" + WATER, 13, "text after M  END must be a data item, got '  1  0"),
        ("> <a>\n1\n> <b>\n2\n", 9, "a data item must follow a blank line, got '> <b>'"),
        ("> <a>\n> <b>\n2\n", 8, "a data item must follow a blank line, got '> <b>'"),
        ("> 50\n2\n", 7, "the first line of a data item must name it, got '> 50'"),
        ("> <a>\n", 7, "a data item must have a value"),
        ("stray\n", 7, "text after M  END must be a data item, got 'stray'"),
    ],
)
def test_text_of_no_data_item_is_refused(data: str, line: int, reason: str) -> None:
    text = METHANE + data + ("" if data.endswith(WATER) else END)
    with pytest.raises(InputError, match=f"^<memory>:{line}: {reason}"):
        list(sdf(text.splitlines()))
    found, skipped = read(f"{text}{END if data.endswith(WATER) else ''}{WATER}")
    assert [record["input"] for record in found] == ["O"]
    assert len(skipped) == 1


def test_joined_without_a_line_end_is_refused() -> None:
    expected = "1: the record must be a MOL block, got text after M  END: 'M  ENDtwo'"
    assert reason_of(METHANE[:-1] + "two" + WATER).startswith(expected)
