"""The command `grapheme`, as its users meet it."""

import codecs
import io
import json
import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from grapheme_torch import GraphTransformNet
from grapheme_torch.cli._commands import COMMANDS
from grapheme_torch.cli._main import main
from grapheme_torch.loss import Learned
from grapheme_torch.train import predict_together, saved_loss

from ..train.runs import PAIRS, SMALL, contents, rows, write_pairs
from .commands import FLAGS, Capture, output, refused


def _json(capsys: Capture, *words: str, status: int = 0) -> Any:
    return _strict(output(capsys, *words, status=status))


def _strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def test_train_says_what_came_of_it(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    printed = output(capsys, "train", "--data", data, "--out", str(out), "--epochs", "1", *FLAGS)
    first, second, *_, third = printed.splitlines()
    assert re.fullmatch(r"loss \S+ -> \S+ in 1 epochs \(.* s\), ratio \S+, falling in .*", first)
    assert re.fullmatch(r"\d+% of 5 training pairs reproduced exactly", second)
    assert str(out) in third
    for file in ("summary.json", "metrics.csv", "loss.png", "train.yaml"):
        assert file in third
        assert (out / file).exists()


def test_an_untrained_model_does_not_boast(capsys: Capture, tmp_path: Path, data: str) -> None:
    words = ["--data", data, "--out", str(tmp_path / "out"), "--epochs", "0", *FLAGS]
    assert "falling" not in output(capsys, "train", *words)


def test_train_in_json_with_every_short_flag(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    words = [
        "train", "--data", data, "--val", data, "--out", str(out), "--epochs", "2", "--seed", "3",
        "--lr", "0.01", "--batch-size", "2", "--alpha", "2", "--beta", "0.25", "--gamma", "0",
        "--overwrite", "--json", *FLAGS,
    ]  # fmt: skip
    summary = _json(capsys, *words)
    assert summary == _strict((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["epochs"], summary["seed"]) == (2, 3)
    options = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    expected = {"batch_size": 2, "lr": 0.01, "alpha": 2.0, "beta": 0.25, "gamma": 0.0}
    assert options.items() >= expected.items()
    assert options["network"]["dim"] == 16
    assert [row["val_total"] != "" for row in rows(out)] == [True] * 3


def test_train_takes_options_in_groups(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    groups: dict[str, dict[str, Any]] = {
        "optimization": {"schedule": "cosine", "warmup": 0.1, "weight_decay": 0.01, "clip": 1.0,
                         "temperature_start": 0.4},
        "stopping": {"minutes": 5.0, "val_every": 3, "patience": 9, "keep": "last"},
        "alignment": {"slack": 0.25, "gradient": "detach"},
        "hints": {"position": 0.125},
        "prices": {"node_insertion": 2.0},
    }  # fmt: skip
    chosen = [
        f"--{group}.{name.replace('_', '-')}={value}"
        for group, options in groups.items()
        for name, value in options.items()
    ]
    words = ["--data", data, "--val", data, "--out", str(out), "--epochs=4", *chosen, *FLAGS]
    printed = output(capsys, "train", *words).splitlines()[1]
    assert re.search(r" of the validation pairs \(saved: epoch 4, best: epoch [034]\)$", printed)
    saved = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    for group, options in groups.items():
        assert saved[group].items() >= options.items()
    assert saved_loss(out).prices.node_insertion == 2.0
    assert [row["epoch"] for row in rows(out) if row["val_exact"]] == ["0", "3", "4"]


def test_scores_of_matches_are_learnt_by_an_option(capsys: Capture, tmp_path: Path) -> None:
    data, out = write_pairs(tmp_path / "data.jsonl", PAIRS), tmp_path / "out"
    asked = ["--matcher.use=start", "--matcher.dim=8", "--matcher.num-coordinates=2"]
    output(capsys, "train", "--data", data, "--out", str(out), "--epochs=1", *asked, *FLAGS)
    alignment = saved_loss(out).alignment
    assert isinstance(alignment, Learned)
    assert alignment.use == "start"
    output(capsys, "train", "--resume", str(out), "--epochs=2")  # by its own options
    assert [row["epoch"] for row in rows(out)] == ["0", "1", "2"]
    told = refused(capsys, "train", "--resume", str(out), "--matcher.dim=9")
    assert told.startswith("`--matcher.dim` must be 8 as in the run of ")


def test_train_leaves_out_what_is_too_large(capsys: Capture, tmp_path: Path) -> None:
    pairs = [{"input": "", "target": "a"}, *PAIRS, *[{"input": "a", "target": "aaa"}] * 6]
    data, out = write_pairs(tmp_path / "data.jsonl", pairs), tmp_path / "out"
    words = ["--data", data, "--val", data, "--out", str(out), "--epochs=1", *FLAGS]
    printed = output(capsys, "train", *words, "--skip-larger", "true")
    places = ", ".join(f"{data}:{k}" for k in (1, 7, 8, 9, 10))
    assert f"\n7 training pairs left out as too large: {places}, ...\n" in printed
    assert "\n7 validation pairs are too large and count as wrong\n" in printed
    summary = _strict((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["pairs"], summary["left_out"], summary["val_too_large"]) == (5, 7, 7)
    assert summary["left_out_first"] == places.split(", ")
    assert summary["val_exact_match"] <= 5 / 12
    options = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    assert options["skip_larger"] is True


def test_an_options_file_has_dashes_comments_and_nothing(
    capsys: Capture, tmp_path: Path, data: str
) -> None:
    for k, content in enumerate(["# none\n", "", "batch-size: 3  # ab-c\nval: null\nlr: 1e-3\n"]):
        (tmp_path / "o.yaml").write_text(content, encoding="utf-8")
        out = tmp_path / str(k)
        words = ["--config", str(tmp_path / "o.yaml"), "--data", data, "--out", str(out)]
        output(capsys, "train", *words, "--epochs=0", *FLAGS)
    options = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    assert (options["batch_size"], options["val"], options["lr"]) == (3, None, 0.001)


@pytest.mark.repeats
def test_positions_that_are_left_aside_are_told(
    capsys: Capture, tmp_path: Path, trained: Path
) -> None:
    bare = {"nodes": [{"id": 0, "label": "c"}], "edges": []}
    data = write_pairs(tmp_path / "mixed.jsonl", [*PAIRS, {"input": bare, "target": "c"}])
    line = (
        f'grapheme: {data}:6: no position in the "input" (1 of 6 lack it), so all inputs lose '
        "theirs. Give one to every node, or to none in all the data.\n"
    )
    out = str(tmp_path / "out")
    for words in (
        ["train", "--data", data, "--out", out, "--epochs=0", *FLAGS],
        ["train", "--data", data, "--out", out, "--epochs=0", "--overwrite", "--val", data, *FLAGS],
        ["evaluate", str(trained), "--data", data],
    ):
        assert main(words) == 0
        told = capsys.readouterr().err
        assert told == line if "--val" not in words else "(2 of 12 lack it)" in told
    assert "{" not in output(capsys, "predict", str(trained), "--data", data).splitlines()[0]


def test_a_notice_is_told_once(capsys: Capture, tmp_path: Path) -> None:
    nodes = [{"id": "a", "label": "a"}, {"id": "b", "label": "b"}]
    edges = [{"source": "a", "target": "b", "relation": "likes"}]
    pair = json.dumps({"input": "ab", "target": {"nodes": nodes, "edges": edges}})
    data = tmp_path / "data.jsonl"
    data.write_text(f"{pair}\n{pair}\n")
    assert main(["train", "--data", str(data), "--print-config"]) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert 'a text "relation" and no "label"' in said


def test_dashes_and_underscores_are_one(capsys: Capture, tmp_path: Path, data: str) -> None:
    for name, flag in (("a", "--batch_size=3"), ("b", "--batch-size=3")):
        out = str(tmp_path / name)
        output(capsys, "train", "--data", data, "--out", out, "--epochs=1", flag, *FLAGS)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert a["metrics.csv"] == b["metrics.csv"]
    assert yaml.safe_load(a["train.yaml"])["batch_size"] == 3


def test_the_options_of_a_run_repeat_it(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    chosen = ["--alignment.slack=0.5", "--network.candidates.window=3", *FLAGS]
    words = ["--data", data, "--out", str(out), "--epochs=2", "--seed=4", *chosen]
    output(capsys, "train", *words)
    before = contents(out)
    output(capsys, "train", "--config", str(out / "train.yaml"), "--overwrite")
    after = contents(out)
    for file in ("metrics.csv", "model.safetensors", "train.yaml", "config.json"):
        assert after[file] == before[file]
    elsewhere = tmp_path / "elsewhere"
    config = str(out / "train.yaml")
    output(capsys, "train", "--config", config, "--out", str(elsewhere), "--epochs", "1")
    assert len(rows(elsewhere)) == 2


@pytest.mark.repeats
def test_predict_prints_a_text_a_line(capsys: Capture, trained: Path) -> None:
    printed = output(capsys, "predict", str(trained), "abc", "abcd", "dd")
    assert printed == "ab\nba\ndd\n"


def test_predict_in_json_wherever_the_flag_stands(capsys: Capture, trained: Path) -> None:
    for words in (["abc", "--json"], ["--json", "abc"]):
        document = _json(capsys, "predict", str(trained), *words)
        assert (document["input"], document["text"]) == ("abc", "ab")
        assert [node["label"] for node in document["nodes"]] == ["a", "b"]
        assert document["edges"] == [{"source": 0, "target": 1, "label": "next"}]
    printed = output(capsys, "predict", str(trained), "--json", "abc", "dd")
    assert [_strict(line)["text"] for line in printed.splitlines()] == ["ab", "dd"]


def test_predict_reads_files(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    graph = {"nodes": [{"id": "x", "label": "d"}], "edges": []}
    data = write_pairs(tmp_path / "in.jsonl", [{"input": "abc"}, {"input": graph}])
    printed = output(capsys, "predict", str(trained), "dd", "--data", data, "--json")
    inputs = [_strict(line)["input"] for line in printed.splitlines()]
    assert inputs[:2] == ["dd", "abc"]
    assert len(inputs) == 3
    assert len(output(capsys, "predict", str(trained), "--data", data).splitlines()) == 2


def _piped(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("size", ["1", "2", "32"])
@pytest.mark.parametrize("where", [["-"], ["--data", "-"], ["--data=-", "--format=lines"]])
def test_predict_answers_line_for_line(
    capsys: Capture, trained: Path, monkeypatch: pytest.MonkeyPatch, where: list[str], size: str
) -> None:
    _piped(monkeypatch, b"abc\n\nabcd\r\n   \ndd")
    printed = output(capsys, "predict", str(trained), *where, "--batch-size", size)
    assert printed == "ab\n\nba\n\ndd\n"


def test_predict_keeps_what_else_a_record_has(
    capsys: Capture, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"sent_id": "s1", "input": "abc", "target": "?", "text": "mine"}, {"input": "dd"}]
    _piped(monkeypatch, "\n\n".join(json.dumps(line) for line in lines).encode())
    printed = output(capsys, "predict", str(trained), "abcd", "-", "--json").splitlines()
    assert printed[2] == ""
    first, second, third = (_strict(printed[k]) for k in (0, 1, 3))
    assert (first["input"], first["text"]) == ("abcd", "ba")
    assert (second["sent_id"], second["text"], second["record"]) == ("s1", "ab", {"text": "mine"})
    assert "target" not in second
    assert "record" not in third


def test_predict_from_a_pipe_that_is_empty(
    capsys: Capture, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _piped(monkeypatch, b"")
    assert output(capsys, "predict", str(trained), "-") == ""


def test_predict_writes_a_file(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    lines, out = tmp_path / "lines.txt", tmp_path / "out.txt"
    lines.write_text("abc\n\ndd\n", encoding="utf-8")
    words = ["predict", str(trained), "--data", str(lines), "--out", str(out)]
    assert output(capsys, *words) == f"{out}: 2 answers\n"
    assert out.read_text(encoding="utf-8") == "ab\n\ndd\n"
    told = _json(capsys, *words, "--overwrite", "--json")
    assert told == {"out": str(out), "answers": 2}
    assert _strict(out.read_text(encoding="utf-8").splitlines()[0])["text"] == "ab"
    assert {path.name for path in tmp_path.iterdir()} == {"lines.txt", "out.txt"}


def test_an_answer_does_not_depend_on_its_batch(
    capsys: Capture, trained: Path, tmp_path: Path
) -> None:
    bare = {"nodes": [{"id": k, "label": "abc"[k]} for k in range(3)], "edges": []}
    inputs = ["abc", bare, "dd", bare, "abcd"]
    data = write_pairs(tmp_path / "in.jsonl", [{"input": one} for one in inputs])
    words = ["predict", str(trained), "--data", data, "--json", "--others", str(trained)]
    alone = output(capsys, *words, "--batch-size=1")
    assert output(capsys, *words) == alone
    assert [_strict(line)["text"] for line in alone.splitlines()[::2]] == ["ab", "dd", "ba"]


def test_a_batch_of_large_inputs_is_split(
    capsys: Capture, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def watched(members: Any, graphs: Any, **shape: Any) -> Any:
        sizes.append(len(graphs))
        return predict_together(members, graphs, **shape)

    monkeypatch.setattr("grapheme_torch.train.predict_together", watched)
    monkeypatch.setattr("grapheme_torch.cli._predict_command.PAIRS_AT_ONCE", 32)
    texts = ["abc", "dd", "abcd", "abcd", "abcdabcd", "c", "c"]
    output(capsys, "predict", str(trained), *texts, "--batch-size", "3")
    # 2 x 3 x 3 pairs, then 2 x 4 x 4 and one that is too large for company.
    assert sizes == [2, 2, 1, 2]


@pytest.mark.parametrize("text", ["--data-x=a-b", "-x", "123", "null", "[1", "é🇩🇪", "a: b", "--"])
def test_predict_takes_any_text_as_it_is(capsys: Capture, trained: Path, text: str) -> None:
    document = _json(capsys, "predict", str(trained), "--json", "--", text)
    assert document["input"] == text


def test_evaluate(capsys: Capture, trained: Path, data: str) -> None:
    printed = output(capsys, "evaluate", str(trained), "--data", data)
    assert re.search(r"^exact_match +1$", printed, re.MULTILINE)
    document = _json(capsys, "evaluate", str(trained), "--data", data, "--json", "--batch-size=2")
    assert (document["pairs"], document["exact_match"]) == (5, 1.0)
    nothing = _json(capsys, "evaluate", str(trained), "--data=kindergarten", "--json")  # unknown
    assert (nothing["covered"], nothing["loss"]) == (0.0, None)


def test_evaluate_takes_the_data_of_the_run_and_says_so(capsys: Capture, trained: Path) -> None:
    assert main(["evaluate", str(trained), "--json"]) == 0
    out, err = capsys.readouterr()
    assert (_strict(out)["pairs"], _strict(out)["exact_match"]) == (5, 1.0)
    named = trained.parent / "data.jsonl"
    assert err == f"grapheme: Without --data, those that the run names are evaluated: {named}.\n"


def test_a_report_as_a_file(capsys: Capture, trained: Path, tmp_path: Path, data: str) -> None:
    file = tmp_path / "report.json"
    words = ["evaluate", str(trained), "--out", str(file)]
    table = output(capsys, *words, "--worst=1", "--data=kindergarten")
    first = _strict(file.read_text(encoding="utf-8"))
    (worst,) = first["worst"]
    assert re.fullmatch(r"\S+:[0-9]+", worst["place"])
    assert worst["place"] + ": edit cost " in table
    document = _json(capsys, *words, "--data", data, "--overwrite", "--json")
    assert document == _strict(file.read_text(encoding="utf-8")) != first
    assert (document["exact_match"], document["worst"]) == (1.0, [])
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", Path(data).name}


@pytest.mark.parametrize("constraint", ["auto", "none", "path", "tree", "acyclic", "learned"])
def test_answers_of_a_shape(capsys: Capture, trained: Path, data: str, constraint: str) -> None:
    words = [str(trained), "--data", data, "--constraint", constraint]
    answers = output(capsys, "predict", *words, "--json").splitlines()
    assert [_strict(line)["text"] for line in answers] == [pair["target"] for pair in PAIRS]
    assert _json(capsys, "evaluate", *words, "--json")["exact_match"] == 1.0


def test_a_path_is_a_text(capsys: Capture, trained: Path) -> None:
    texts = ["zzz", "abdc" * 3, "ccc", "xaxbxcxdx"]
    assert "{" in output(capsys, "predict", str(trained), *texts, "--constraint=none")
    answers = output(capsys, "predict", str(trained), *texts, "--constraint=path")
    assert "{" not in answers
    # As all training targets are texts, answers are as well, unless something else is said.
    assert output(capsys, "predict", str(trained), *texts) == answers


@pytest.mark.repeats
def test_check_gradients(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "one.jsonl", PAIRS[:1])
    words = ["check-gradients", str(trained), "--data", data, "--entries=1", "--max-iterations=3"]
    printed = output(capsys, *words)
    tensors = len(GraphTransformNet.from_pretrained(trained).state_dict())
    assert len(printed.splitlines()) == 1 + tensors + 1
    assert printed.splitlines()[-1].startswith("passed: max relative error ")
    document = _json(capsys, *words, "--json", "--criterion", "edit", "--rounds", "0")
    assert document["passed"]
    assert len(document["tensors"]) == tensors


@pytest.mark.repeats
@pytest.mark.repeats
def test_a_check_that_does_not_hold_has_status_1(
    capsys: Capture, trained: Path, tmp_path: Path
) -> None:
    data = write_pairs(tmp_path / "one.jsonl", PAIRS[:1])
    words = ["check-gradients", str(trained), "--data", data, "--entries=1", "--max-iterations=3"]
    assert "FAILED" in output(capsys, *words, "--bound=1e-30", status=1)


def test_compare(capsys: Capture, tmp_path: Path) -> None:
    plot = tmp_path / "edits.png"
    printed = output(capsys, "compare", "kitten", "sitting", "--plot", str(plot))
    assert "edit cost 4" in printed
    assert plot.read_bytes().startswith(b"\x89PNG")
    document = _json(
        capsys, "compare", "kitten", "sitting", "--json", "--alignment.temperature", "0"
    )
    assert document["edits"]["cost"] == 4
    assert document["loss"]["node"] == pytest.approx(3)


def test_compare_refuses_what_is_too_large(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    nodes = [{"id": k, "label": "a"} for k in range(4)]
    path.write_text(json.dumps({"nodes": nodes, "edges": []}), encoding="utf-8")
    words = ["compare", "abc", str(path)]
    message = f"{path}: `target` must have at most 3 nodes, got 4 nodes, 1.6e-05 million pairs of"
    assert refused(capsys, *words, "--max-nodes=3").startswith(message)
    assert refused(capsys, *words, "--max-nodes=2").startswith("`predicted` must have at most 2 no")
    output(capsys, *words, "--max-nodes=4")
    message = "`predicted` must have at most 2000 nodes, got 3000 nodes, 9 million pairs of them."
    assert refused(capsys, "compare", "a" * 3000, "b").startswith(message)


def test_compare_reads_node_link_files(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text('{"nodes": [{"id": 7, "label": "a"}], "edges": []}', encoding="utf-8")
    assert _json(capsys, "compare", str(path), "a", "--json")["edits"]["cost"] == 0
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert _json(capsys, "compare", str(path), "a", "--json")["edits"]["cost"] == 0
    assert _json(capsys, "compare", "123", "null", "--json")["edits"]["nodes"][0]["predicted"] == 0


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(capsys: Capture, command: str, flag: str) -> None:
    printed = output(capsys, command, flag)
    assert printed.startswith("usage: grapheme ")
    assert COMMANDS[command].help in printed.replace("\n", " ")
    assert "--json" in printed
    options = printed.split("--help", 1)[1].split("\n  --")[1:]
    assert all(len(option.split()) > 2 for option in options)  # a name, a value, and words


@pytest.mark.parametrize("command", ["train", "compare"])
def test_the_help_fits_two_screens(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = output(capsys, command, "--help").splitlines()
    assert len(lines) <= 80
    assert max(map(len, lines)) <= 100


def test_each_group_has_its_help(capsys: Capture) -> None:
    short = output(capsys, "train", "--help")
    for group, option in (
        ("alignment", "max-iterations"), ("hints", "position"), ("prices", "edge-deletion"),
        ("optimization", "clip"), ("stopping", "minutes"),
        ("numerics", "precision"), ("monitoring", "log-every"), ("network", "dropout.labels"),
    ):  # fmt: skip
        assert f"--{group}." in short
        assert f"--{group}.{option} " not in short
        assert option in short
        full = output(capsys, "train", f"--help.{group}")
        assert f"--{group}.{option} " in full
        assert "--epochs" not in full
    assert "--alignment.gradient" not in output(capsys, "compare", "--help.alignment")


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_help_has_examples(capsys: Capture, command: str) -> None:
    printed = output(capsys, command, "--help")
    for line in COMMANDS[command].examples:
        assert f"\n  grapheme {line}\n" in printed
    assert not re.search(r"--\w+_", printed)


def test_the_version(capsys: Capture) -> None:
    assert output(capsys, "--version") == f"grapheme {version('grapheme-torch')}\n"


def test_help_lists_the_commands(capsys: Capture) -> None:
    printed = output(capsys, "--help")
    for name in COMMANDS:
        assert re.search(rf"^    {name} ", printed, re.MULTILINE)


def test_without_arguments_the_help_comes_with_status_2(capsys: Capture) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: grapheme COMMAND ...")
    assert "check-gradients" in err


def test_the_small_network_is_the_one_the_flags_name(trained: Path) -> None:
    named = {**SMALL, "candidates": asdict(SMALL["candidates"])}
    assert GraphTransformNet.from_pretrained(trained).config.items() >= named.items()
