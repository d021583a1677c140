"""CoNLL-U: words, multiword tokens, empty nodes, and every way a tree can be broken."""

import re

import pytest

from grapheme_torch import InputError
from grapheme_torch.convert import Skipped, conllu

from .samples import SENTENCES

LINES = SENTENCES.splitlines()


def test_a_sentence_becomes_a_tree() -> None:
    record, _ = conllu(LINES)
    assert record["input"] == "I don't see it."
    assert record["sent_id"] == "one"
    assert [n["label"] for n in record["target"]["nodes"]] == ["I", "do", "n't", "see", "it", "."]
    edges = [(e["source"], e["target"], e["label"]) for e in record["target"]["edges"]]
    assert edges == [(3, 0, "nsubj"), (3, 1, "aux"), (3, 2, "advmod"), (3, 4, "obj:lvc"),
                     (3, 5, "punct")]  # fmt: skip
    assert record["alignment"] == [0, 2, 2, 8, 12, 14]


def test_text_is_joined_where_none_is_given() -> None:
    assert list(conllu(LINES))[1]["input"] == "What?"
    without = [line for line in LINES if not line.startswith("#")]
    assert next(conllu(without))["input"] == "I don't see it."


def test_labels_and_relations_are_chosen() -> None:
    record = next(conllu(LINES, label="upos", subtypes=False))
    labels = [node["label"] for node in record["target"]["nodes"]]
    assert labels == ["PRON", "AUX", "PART", "VERB", "PRON", "PUNCT"]
    assert record["target"]["edges"][3]["label"] == "obj"
    assert next(conllu(LINES, label="lemma"))["target"]["nodes"][2]["label"] == "not"


def test_long_sentences_are_left_out() -> None:
    found: list[Skipped] = []
    assert [r["input"] for r in conllu(LINES, max_words=5, skip=found.append)] == ["What?"]
    assert [(skipped.line, skipped.bad) for skipped in found] == [(1, False)]
    assert len(list(conllu(LINES, max_words=5))) == 1


def test_alignment_counts_grapheme_clusters() -> None:
    lines = ["1\te\u0301\t_\tX\t_\t_\t0\troot\t_\t_", "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_"]
    record = next(conllu(lines))
    assert (record["input"], record["alignment"]) == ("e\u0301 b", [0, 2])
    spaced = next(conllu(["# text = e\u0301\u3000\u00a0b", *lines]))
    assert spaced["alignment"] == [0, 3]


def test_words_stand_where_they_begin() -> None:
    def places(lines: list[str]) -> list[int]:
        nodes = next(conllu(lines, positions=True))["target"]["nodes"]
        return [node["position"] for node in nodes]

    assert places(LINES) == [0, 2, 3, 8, 12, 14]  # "n't" begins with its token
    hidden = ["1\ta\t_\tX\t_\t_\t0\troot\t_\t_", "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_"]
    assert places(["1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_", *hidden]) == [0, 1]
    assert "position" not in next(conllu(LINES))["target"]["nodes"][0]


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("3\tn't", "4\tn't", 6, "the ID must be 3, got '4'"),
        ("2-3", "2-x", 4, "the ID must be 2-N, N larger, got '2-x'"),
        ("2-3", "2-9", 1, "the sentence must have at least 9 words, got 6"),
        ("\t4\tnsubj", "\t9\tnsubj", 3, r"HEAD must be the ID of a word, or 0 \(at most 6\)"),
        ("\t4\tnsubj", "\t_\tnsubj", 3, "HEAD must be"),
        ("\t4\tnsubj", "\t0\tnsubj", 1, r"the sentence must have one root \(HEAD 0\), got 2"),
        ("\t4\tnsubj", "\t1\tnsubj", 3, "the heads must lead to the root, got 1 -> 1"),
        ("\t4\tnsubj", "\t4\t_", 3, "DEPREL must be given, got '_'"),
        ("PRON\t_\t_\t4\tnsubj", "PRON\t_\t_\t4", 3, "the line must have 10 columns, got 9"),
        ("I\tI", "\tI", 3, "FORM must be given, got ''"),
        ("see it.", "see it!", 2, "`# text` must show the forms in order, got .*it!. for .*it\\.."),
        ("see it.", "see.", 2, "`# text` must show the forms in order"),
        ("# text", "# text = I\n# text", 3, "`# text` must be given once, got .I don"),
        ("# sent_id", "# sent_id = two\n# sent_id", 2, "`# sent_id` must be given once, got 'one'"),
        ("4\tsee", "# a\n4\tsee", 7, "a comment must stand before the words, got '# a'"),
        ("2-3\tdon't", "2-3\t_", 4, "FORM must be given, got '_'"),
        ("I\tI", "_\tI", 3, r"FORM must be given, got '_ \(PRON\)'"),
        ("I\tI", "I \tI", 3, "FORM must have no space around or in it, got 'I '"),
        ("I\tI", "\u00a0\tI", 3, "FORM must have no space"),
        ("nsubj", "nsubj x", 3, "DEPREL must have no space around or in it, got 'nsubj x'"),
        ("SpaceAfter=No", "SpaceAfter=No ", 9, "MISC must have no space around"),
        ("3\tn't", "3 \tn't", 6, "ID must have no space around or in it, got '3 '"),
        ("\t4\tnsubj", "\t\u0664\tnsubj", 3, "HEAD must be"),
    ],
)
def test_a_broken_sentence_is_named(old: str, new: str, line: int, reason: str) -> None:
    lines = SENTENCES.replace(old, new, 1).splitlines()
    with pytest.raises(InputError, match=f"^a.conllu:{line}: {reason}"):
        list(conllu(lines, source="a.conllu"))


@pytest.mark.parametrize(
    ("ids", "line", "reason"),
    [
        ("1 2 3.", 3, "the ID must be 3, or 2.1 for an empty node, got '3.'"),
        ("1 2 2.2", 3, "the ID must be 3, or 2.1"),
        ("1 2 1.1", 3, "the ID must be 3, or 2.1"),
        ("1 1.1 1.1 2", 3, "the ID must be 2, or 1.2"),
        ("1 1.01 2", 2, "the ID must be 2, or 1.1"),
        ("1 1.a 2", 2, "the ID must be 2, or 1.1"),
        ("1.1 1", 1, "the ID must be 1, or 0.1"),
        ("1-2 0.1 1 2", 2, "the ID must be 1, got '0.1'"),
        ("1-2 1-2 1 2", 2, "multiword tokens must not overlap, got 1-2, though 1 to 2 belong"),
        ("1-2 1 2-3 2 3", 3, "multiword tokens must not overlap"),
        ("1-2 1 2 2-3 3", 4, "the ID must be 3-N, N larger, got '2-3'"),
        ("2-1 1 2", 1, "the ID must be 1-N, N larger, got '2-1'"),
        ("1-1 1 2", 1, "the ID must be 1-N, N larger, got '1-1'"),
        ("01-2 1 2", 1, "the ID must be 1-N, N larger, got '01-2'"),
        ("1-02 1 2", 1, "the ID must be 1-N, N larger"),
        ("1-2-3 1 2 3", 1, "the ID must be 1-N, N larger"),
        ("1 2-3 2", 1, "the sentence must have at least 3 words, got 2"),
        ("1 2-3", 1, "the sentence must have at least 3 words, got 1"),
        ("1 02", 2, "the ID must be 2, got '02'"),
        ("1 \u0662", 2, "the ID must be 2"),
        ("1 3 2", 2, "the ID must be 2, got '3'"),
        ("1 1", 2, "the ID must be 2, got '1'"),
        ("0 1", 1, "the ID must be 1, got '0'"),
        ("1 -2 2", 2, "the ID must be 2-N, N larger, got '-2'"),
        ("1 2-" + "9" * 5000, 2, "the ID must be 2-N"),
    ],
)
def test_ids_are_in_order(ids: str, line: int, reason: str) -> None:
    """The files of the first level of the validator of Universal Dependencies, and the like."""
    lines = [f"{k}\tw\t_\tX\t_\t_\t{0 if k == '1' else 1}\tx\t_\t_" for k in ids.split(" ")]
    good = "1\ta\t_\tX\t_\t_\t0\troot\t_\t_"
    found: list[Skipped] = []
    assert len(list(conllu([*lines, "", good], source="a.conllu", skip=found.append))) == 1
    (skipped,) = found
    assert re.match(f"a.conllu:{line}: {reason}", str(skipped.error))


def test_tokens_and_empty_nodes_may_stand_within_each_other() -> None:
    ids = "0.1 0.2 1-3 1 1.1 2 3 3.1 4-5 4 5 5.1"
    lines = [f"{k}\tw{k}\t_\tX\t_\t_\t{0 if k == '1' else 1}\tx\t_\t_" for k in ids.split(" ")]
    (record,) = conllu(lines)
    assert record["input"] == "w1-3 w4-5"
    assert record["alignment"] == [0, 0, 0, 5, 5]


@pytest.mark.parametrize("text", ["# text = _ _ _.", "# text = ___", "#"])
def test_a_sentence_without_its_words_is_refused(text: str) -> None:
    lines = [text, *(f"{k + 1}\t_\t_\tX\t_\t_\t{k and 1}\tx\t_\t_" for k in range(3))]
    for label in ("form", "upos"):
        with pytest.raises(InputError, match=r"a:1: the words must have a FORM, got '_' for all 3"):
            list(conllu(lines, source="a", label=label))
    partly = [text, *lines[1:3], "3\t.\t.\tPUNCT\t_\t_\t1\tx\t_\t_"]
    partly[1] = partly[1].replace("X", "NOUN")
    with pytest.raises(InputError, match=r"a:\d: (FORM must be given|`# text` must show)"):
        list(conllu(partly, source="a", label="upos"))


def test_an_underscore_is_a_word() -> None:
    lines = ["# text = a_", "1\ta\ta\tX\t_\t_\t0\troot\t_\tSpaceAfter=No",
             "2\t_\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_"]  # fmt: skip
    (record,) = conllu(lines, label="lemma")
    assert [node["label"] for node in record["target"]["nodes"]] == ["a", "_"]


def test_comments_alone_are_skipped() -> None:
    found: list[Skipped] = []
    lines = ["# newdoc", "", *LINES, "", "# the end"]
    assert len(list(conllu(lines, skip=found.append))) == 2
    assert [(s.line, s.reason[:32]) for s in found] == [
        (1, "the sentence must have at least "), (17, "the sentence must have at least "),
    ]  # fmt: skip


def test_other_columns_are_refused() -> None:
    columns = "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC"
    assert len(list(conllu([columns, *LINES]))) == 2
    with pytest.raises(InputError, match=r"a:1: the columns must be ID .*, got ID FORM HEAD"):
        list(conllu(["# global.columns = ID FORM HEAD", *LINES], source="a", skip=[].append))


def test_a_sentence_may_be_normalized() -> None:
    lines = ["# text = e\u0301", "1\t\u00e9\t_\tX\t_\t_\t0\troot\t_\t_"]
    with pytest.raises(InputError, match="`# text` must show the forms"):
        list(conllu(lines))
    (record,) = conllu(lines, normalize="nfc")
    assert (record["input"], record["target"]["nodes"][0]["label"]) == ("\u00e9", "\u00e9")


def test_a_missing_annotation_is_refused_but_for_parts_of_a_word() -> None:
    line = "1\ta\t_\t_\t_\t_\t0\troot\t_\t_"
    for label in ("upos", "lemma"):
        with pytest.raises(InputError, match=f"{label.upper()} must be given"):
            list(conllu([line], label=label))
    part = "2\tb\t_\tX\t_\t_\t1\tgoeswith\t_\t_"
    first = "1\ta\tab\tX\t_\t_\t0\troot\t_\t_"
    assert len(list(conllu([first, part], label="lemma"))) == 1
