"""The form of a refusal."""

import pytest

from grapheme_torch._check import InputError, Received, refusal, relocate, require, shown


def test_a_refusal_has_four_parts_in_one_order():
    error = refusal("`eps`", "be positive", -1.0, "Use 0.1.")
    assert str(error) == "`eps` must be positive, got -1.0. Use 0.1."
    assert isinstance(error, ValueError)


def test_a_value_is_shown_by_its_repr_and_a_received_text_as_it_is():
    assert "got 'x'." in str(refusal("`a`", "be b", "x", "Do c."))
    assert "got 12 nodes." in str(refusal("`a`", "be b", Received("12 nodes"), "Do c."))


@pytest.mark.parametrize(("size", "length"), [(58, 60), (59, 60), (1000, 60)])
def test_a_long_value_is_cut(size: int, length: int):
    text = shown("x" * size)
    assert len(text) == length
    assert text.endswith("...") is (size > 58)


def test_require_raises_only_if_it_does_not_hold():
    require(True, "`a`", "be b", 1, "Do c.")
    with pytest.raises(InputError, match=r"^`a` must be b, got 1\. Do c\.$"):
        require(False, "`a`", "be b", 1, "Do c.")


def test_a_place_is_put_before_the_text():
    with pytest.raises(InputError, match=r"^x\.jsonl:3: `a` must be b, got 1\. Do c\.$"):
        relocate(refusal("`a`", "be b", 1, "Do c."), "x.jsonl:3")
