"""CoNLL-U: words, multiword tokens, empty nodes, and every way a tree can be broken."""

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
    other = next(conllu(["# text = b", *lines]))
    assert other["alignment"] == [None, 0]


def test_words_stand_where_they_begin() -> None:
    def places(lines: list[str]) -> list[int]:
        nodes = next(conllu(lines, positions=True))["target"]["nodes"]
        return [node["position"] for node in nodes]

    assert places(LINES) == [0, 2, 3, 8, 12, 14]  # "n't" begins with its token
    hidden = ["1\ta\t_\tX\t_\t_\t0\troot\t_\t_", "2\tb\t_\tX\t_\t_\t1\tdep\t_\t_"]
    assert places(["# text = x a", *hidden]) == [2, 3]
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
    ],
)
def test_a_broken_sentence_is_named(old: str, new: str, line: int, reason: str) -> None:
    lines = SENTENCES.replace(old, new, 1).splitlines()
    with pytest.raises(InputError, match=f"^a.conllu:{line}: {reason}"):
        list(conllu(lines, source="a.conllu"))


def test_a_missing_annotation_is_refused_but_for_parts_of_a_word() -> None:
    line = "1\ta\t_\t_\t_\t_\t0\troot\t_\t_"
    for label in ("upos", "lemma"):
        with pytest.raises(InputError, match=f"{label.upper()} must be given"):
            list(conllu([line], label=label))
    part = "2\tb\t_\tX\t_\t_\t1\tgoeswith\t_\t_"
    first = "1\ta\tab\tX\t_\t_\t0\troot\t_\t_"
    assert len(list(conllu([first, part], label="lemma"))) == 1
