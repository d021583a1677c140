"""The command `grapheme`, as its users and its abusers meet it."""

import errno
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from grapheme_torch import GraphTransformNet
from grapheme_torch._commands import COMMANDS
from grapheme_torch.cli import main

from .train.runs import PAIRS, SMALL, contents, quick, rows, write_pairs

FLAGS = ["--dim=16", "--num-layers=1", "--num-heads=2", "--num-buckets=64"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that knows five pairs by heart, "abc" -> "ab" among them."""
    folder = tmp_path_factory.mktemp("cli")
    data = write_pairs(folder / "data.jsonl", PAIRS)
    assert quick(folder / "run", data=data, epochs=60, lr=0.02).exact_match == 1.0
    return folder / "run"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in contents(trained).items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write_pairs(tmp_path / "data.jsonl", PAIRS)


Capture = pytest.CaptureFixture[str]


def _out(capsys: Capture, *words: str, status: int = 0) -> str:
    """What a command prints; it says nothing else."""
    assert main(words) == status
    out, err = capsys.readouterr()
    assert err == ""
    return out


def _json(capsys: Capture, *words: str, status: int = 0) -> Any:
    return _strict(_out(capsys, *words, status=status))


def _strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def _refused(capsys: Capture, *words: str) -> str:
    """The refusal: one line on the standard error, status 2."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("grapheme: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    return err.removeprefix("grapheme: ").removesuffix("\n")


def test_train_says_what_came_of_it(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    printed = _out(capsys, "train", "--data", data, "--out", str(out), "--epochs", "1", *FLAGS)
    first, second, third = printed.splitlines()
    assert re.fullmatch(r"loss \S+ -> \S+ in 1 epochs \(.* s\), ratio \S+, falling in .*", first)
    assert re.fullmatch(r"\d+% of 5 training pairs reproduced exactly", second)
    assert str(out) in third
    for file in ("summary.json", "metrics.csv", "loss.png", "train.yaml"):
        assert file in third
        assert (out / file).exists()


def test_an_untrained_model_does_not_boast(capsys: Capture, tmp_path: Path, data: str) -> None:
    words = ["--data", data, "--out", str(tmp_path / "out"), "--epochs", "0", *FLAGS]
    assert "falling" not in _out(capsys, "train", *words)


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
    expected = {"batch_size": 2, "lr": 0.01, "alpha": 2.0, "beta": 0.25, "gamma": 0.0, "dim": 16}
    assert options.items() >= expected.items()
    assert [row["val_total"] != "" for row in rows(out)] == [True] * 3


def test_dashes_and_underscores_are_one(capsys: Capture, tmp_path: Path, data: str) -> None:
    for name, flag in (("a", "--batch_size=3"), ("b", "--batch-size=3")):
        out = str(tmp_path / name)
        _out(capsys, "train", "--data", data, "--out", out, "--epochs=1", flag, *FLAGS)
    a, b = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert a["metrics.csv"] == b["metrics.csv"]
    assert yaml.safe_load(a["train.yaml"])["batch_size"] == 3


def test_the_options_of_a_run_repeat_it(capsys: Capture, tmp_path: Path, data: str) -> None:
    out = tmp_path / "out"
    words = ["--data", data, "--out", str(out), "--epochs=2", "--slack=0.5", "--seed=4", *FLAGS]
    _out(capsys, "train", *words)
    before = contents(out)
    _out(capsys, "train", "--config", str(out / "train.yaml"), "--overwrite")
    after = contents(out)
    for file in ("metrics.csv", "model.safetensors", "train.yaml", "config.json"):
        assert after[file] == before[file]
    elsewhere = tmp_path / "elsewhere"
    config = str(out / "train.yaml")
    _out(capsys, "train", "--config", config, "--out", str(elsewhere), "--epochs", "1")
    assert len(rows(elsewhere)) == 2


def test_predict_prints_a_text_a_line(capsys: Capture, trained: Path) -> None:
    printed = _out(capsys, "predict", str(trained), "abc", "abcd", "dd")
    assert printed == "ab\nba\ndd\n"


def test_predict_in_json_wherever_the_flag_stands(capsys: Capture, trained: Path) -> None:
    for words in (["abc", "--json"], ["--json", "abc"]):
        document = _json(capsys, "predict", str(trained), *words)
        assert (document["input"], document["text"]) == ("abc", "ab")
        assert [node["label"] for node in document["nodes"]] == ["a", "b"]
        assert document["edges"] == [{"source": 0, "target": 1, "label": "next"}]
    printed = _out(capsys, "predict", str(trained), "--json", "abc", "dd")
    assert [_strict(line)["text"] for line in printed.splitlines()] == ["ab", "dd"]


def test_predict_reads_files(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    graph = {"nodes": [{"id": "x", "label": "d"}], "edges": []}
    data = write_pairs(tmp_path / "in.jsonl", [{"input": "abc"}, {"input": graph}])
    printed = _out(capsys, "predict", str(trained), "dd", "--data", data, "--json")
    inputs = [_strict(line)["input"] for line in printed.splitlines()]
    assert inputs[:2] == ["dd", "abc"]
    assert len(inputs) == 3
    assert len(_out(capsys, "predict", str(trained), "--data", data).splitlines()) == 2


@pytest.mark.parametrize("text", ["--data-x=a-b", "-x", "123", "null", "[1", "é🇩🇪", "a: b", "--"])
def test_predict_takes_any_text_as_it_is(capsys: Capture, trained: Path, text: str) -> None:
    document = _json(capsys, "predict", str(trained), "--json", "--", text)
    assert document["input"] == text


def test_evaluate(capsys: Capture, trained: Path, data: str) -> None:
    printed = _out(capsys, "evaluate", str(trained), "--data", data)
    assert re.search(r"^exact_match +1$", printed, re.MULTILINE)
    document = _json(capsys, "evaluate", str(trained), "--data", data, "--json", "--batch-size=2")
    assert (document["pairs"], document["exact_match"]) == (5, 1.0)
    nothing = _json(capsys, "evaluate", str(trained), "--json")  # kindergarten: all is unknown
    assert (nothing["covered"], nothing["loss"]) == (0.0, None)


def test_check_gradients(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "one.jsonl", PAIRS[:1])
    words = ["check-gradients", str(trained), "--data", data, "--entries=1", "--max-iterations=3"]
    printed = _out(capsys, *words)
    tensors = len(GraphTransformNet.from_pretrained(trained).state_dict())
    assert len(printed.splitlines()) == 1 + tensors + 1
    assert printed.splitlines()[-1].startswith("passed: max relative error ")
    document = _json(capsys, *words, "--json", "--criterion", "edit", "--rounds", "0")
    assert document["passed"]
    assert len(document["tensors"]) == tensors


def test_a_check_that_does_not_hold_has_status_1(
    capsys: Capture, trained: Path, tmp_path: Path
) -> None:
    data = write_pairs(tmp_path / "one.jsonl", PAIRS[:1])
    words = ["check-gradients", str(trained), "--data", data, "--entries=1", "--max-iterations=3"]
    assert "FAILED" in _out(capsys, *words, "--bound=1e-30", status=1)
    assert not _json(capsys, *words, "--bound=1e-30", "--json", status=1)["passed"]


def test_compare(capsys: Capture, tmp_path: Path) -> None:
    plot = tmp_path / "edits.png"
    printed = _out(capsys, "compare", "kitten", "sitting", "--plot", str(plot))
    assert "edit cost 4" in printed
    assert plot.read_bytes().startswith(b"\x89PNG")
    document = _json(capsys, "compare", "kitten", "sitting", "--json", "--temperature", "0")
    assert document["edits"]["cost"] == 4
    assert document["loss"]["node"] == pytest.approx(3)


def test_compare_reads_node_link_files(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text('{"nodes": [{"id": 7, "label": "a"}], "edges": []}', encoding="utf-8")
    assert _json(capsys, "compare", str(path), "a", "--json")["edits"]["cost"] == 0
    assert _json(capsys, "compare", "123", "null", "--json")["edits"]["nodes"][0]["predicted"] == 0


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_help(capsys: Capture, command: str, flag: str) -> None:
    printed = _out(capsys, command, flag)
    assert printed.startswith("usage: grapheme ")
    assert COMMANDS[command].help in printed.replace("\n", " ")
    assert "--json" in printed
    options = printed.split("--help", 1)[1].split("\n  --")[1:]
    assert all(len(option.split()) > 2 for option in options)  # a name, a value, and words


def test_help_lists_the_commands(capsys: Capture) -> None:
    printed = _out(capsys, "--help")
    for name in COMMANDS:
        assert re.search(rf"^    {name} ", printed, re.MULTILINE)


def test_without_arguments_the_help_comes_with_status_2(capsys: Capture) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: grapheme COMMAND ...")
    assert "check-gradients" in err


SEE = "`grapheme {} --help` shows what it takes."
NODE = {"id": 0, "label": "a"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["foo"], "the first word must be a command, got 'foo'. Choose one of train, predict, "),
        (["--foo"], "the first word must be a command, got '--foo'. Choose one of train, "),
        (["train"], "`out` must be given, got nothing. " + SEE.format("train")),
        (["compare", "a"], "`target` must be given, got nothing. " + SEE.format("compare")),
        (["predict"], "`model` must be given, got nothing. " + SEE.format("predict")),
        (
            ["train", "--out=x", "--nope", "3"],
            "the arguments must be ones that `grapheme train` takes, got --nope 3. "
            + SEE.format("train"),
        ),
        (
            ["train", "--out=x", "--epoch", "3"],
            "the arguments must be ones that `grapheme train` takes, got --epoch 3. ",
        ),
        (
            ["predict", "x", "-y"],
            "the arguments must be ones that `grapheme predict` takes, got -y. "
            + SEE.format("predict")
            + " A text that begins with a dash goes after `--`.",
        ),
        (["train", "--out"], "argument --out: expected one argument. " + SEE.format("train")),
        (["train", "--out=x", "--epochs=x"], "`--epochs` must be a whole number, got 'x'. "),
        (["train", "--out=x", "--epochs=1.5"], "`--epochs` must be a whole number, got '1.5'. "),
        (["train", "--out=x", "--window=x"], "`--window` must be a whole number, got 'x'. "),
        (["train", "--out=x", "--lr=nan"], "`--lr` must be a finite number, got 'nan'. "),
        (
            ["train", "--out=x", "--criterion=x"],
            "`--criterion` must be one of likelihood, edit, got 'x'. ",
        ),
        (
            ["check-gradients", "x", "--gradient=x"],
            "`--gradient` must be one of exact, unrolled, cut, got 'x'. ",
        ),
        (["train", "--out=x", "--epochs=-1"], "`epochs` must not be negative, got -1. "),
        (["train", "--out=x", "--lr=-1"], "`lr` must be positive and at most 1e30, got -1.0. "),
        (["train", "--out=x", "--lr", "-1"], "`lr` must be positive and at most 1e30, got -1.0. "),
        (["train", "--out=x", "--temperature=-1"], "`temperature` must not be negative, got -1.0"),
        (["train", "--out=x", "--alpha=0"], "`alpha` must be positive"),
        (["train", "--out="], "`out` must name a folder, got ''. Name one, such as runs/kg."),
        (["compare", "a", "b", "--plot=nowhere/x.png"], "nowhere/x.png: the file must be writable"),
        (["compare", "nowhere.json", "b"], "nowhere.json must be a readable file, got No such"),
        (["compare", "a\udcffb", "b"], "argument 2 must be valid text, got 'a\\udcffb'. Write it"),
        (["predict", "nowhere", "a"], "nowhere/config.json must be a readable file, got No such"),
        (["train", "--config=nowhere.yaml"], "nowhere.yaml must be a readable YAML file, got No"),
    ],
)
def test_refused_words(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _refused(capsys, *words).startswith(message)
    assert list(tmp_path.iterdir()) == []


def _line(**pair: Any) -> str:
    return json.dumps({"input": "abc", "target": "ab", **pair})


def _graph(nodes: list[Any], edges: list[Any]) -> dict[str, Any]:
    return {"nodes": nodes, "edges": edges}


CYCLE = _graph(
    [NODE, {"id": 1, "label": "b"}],
    [{"source": 0, "target": 1, "label": "x"}, {"source": 1, "target": 0, "label": "y"}],
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": the data set must hold at least one pair, got none. Write one "),
        ("\n\n", ": the data set must hold at least one pair, got none. Write one "),
        (
            f'{_line()}\n{_line()}\n{{"input": \n',
            ':3: the line must be valid JSON, got "Expecting value" at column ',
        ),
        (f"{_line()}\n\n[1]", ":3: the line must be a JSON object, got [1]. Write "),
        ('{"input": "a"}', ":1: the line must have the key \"target\", got the keys ['input']. "),
        ('{"target": "a"}', ":1: the line must have the key \"input\", got the keys ['target']. "),
        (_line(target=3), ':1: the "target" must be a string or a node-link object, got 3. Put'),
        (_line(target=_graph([{"id": 0, "label": 3}], [])), ':1: in "target": '),
        (
            _line(target=_graph([NODE], [{"source": 0, "target": 9, "label": "x"}])),
            ':1: in "target": ',
        ),
        (_line(target=_graph([NODE, NODE], [])), ':1: in "target": '),
        (
            f"{_line()}\n{_line(target=CYCLE)}",
            ":2: the \"target\" must have no directed cycle, got the cycle 0 'a' -> 1 'b' -> 0",
        ),
        (
            f"{_line()}\n{_line(target='abcd')}",
            ':2: the "target" must have at most as many nodes as the "input", got 4 nodes for 3. ',
        ),
        ('{"input": "a", "target": NaN}', ":1: a number must be finite, got NaN. "),
        ('{"input": "a", "input": "b"}', ":1: the keys of an object must be unique, got 'input'. "),
        (_line(target="\ud800"), ':1: in "target": '),
    ],
)
def test_refused_data(capsys: Capture, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    words = ["train", "--data", str(path), "--out", str(tmp_path / "out"), *FLAGS]
    refusal = _refused(capsys, *words)
    assert refusal.startswith(f"{path}{message}")
    assert re.search(r" must .*, got .*\. \S+", refusal)
    assert contents(tmp_path) == {"bad.jsonl": content.encode()}


@pytest.mark.parametrize(("name", "cause"), [("nowhere", "no such file"), (".", "a folder")])
def test_data_that_is_not_there(capsys: Capture, tmp_path: Path, name: str, cause: str) -> None:
    path = str(tmp_path / name)
    message = f"{path}: the data set must be a readable file, got {cause}. "
    assert _refused(capsys, "train", "--data", path, "--out", str(tmp_path / "out")).startswith(
        message
    )
    assert not (tmp_path / "out").exists()


def test_data_that_is_no_utf_8(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(_line().encode() + b'\n{"input": "\xff"}')
    message = f"{path}:2: the line must be valid UTF-8, got byte 0xff at byte 12 of the line. Save"
    words = ["train", "--data", str(path), "--out", str(tmp_path / "out")]
    assert _refused(capsys, *words).startswith(message)


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-9])


def _with_nan(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["heads.label.bias"][0] = float("nan")
    save_file(weights, folder / "model.safetensors")


def _pickled(folder: Path) -> None:
    torch.save({"weight": torch.ones(1)}, folder / "model.safetensors")


def _foreign(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")


def _of_other_weights(folder: Path) -> None:
    save_file({"bert.weight": torch.ones(2)}, folder / "model.safetensors")


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_truncated, "/model.safetensors must be a safetensors file, got "),
        (
            _with_nan,
            "/model.safetensors must hold finite weights only, got 1 NaN or infinite of 3 ",
        ),
        (_pickled, "/model.safetensors must be a safetensors file, got "),
        (
            _foreign,
            "/config.json must say \"format\": \"grapheme-torch\", got {'model_type': 'bert'}",
        ),
        (_of_other_weights, "/config.json and model.safetensors must describe one and the same"),
        (_without("config.json"), "/config.json must be a readable file, got No such file"),
        (_without("model.safetensors"), "/model.safetensors must be a readable file, got No such"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate", "check-gradients"])
def test_refused_models(
    capsys: Capture, model: Path, spoil: Callable[[Path], None], message: str, command: str
) -> None:
    spoil(model)
    before = contents(model)
    words = ["abc"] if command == "predict" else []
    assert _refused(capsys, command, str(model), *words).startswith(f"{model}{message}")
    assert contents(model) == before


def test_predict_wants_a_text(capsys: Capture, model: Path) -> None:
    message = "the texts must be at least one, got none. Give a text or --data."
    assert _refused(capsys, "predict", str(model)) == message


def test_a_model_is_overwritten_only_on_request(capsys: Capture, model: Path, data: str) -> None:
    before = contents(model)
    words = ["train", "--data", data, "--out", str(model), "--epochs=0", *FLAGS]
    message = f"--out {model} must hold no run yet, got config.json. Choose another --out, or allow"
    assert _refused(capsys, *words).startswith(message)
    assert contents(model) == before
    diverging = [*words, "--overwrite", "--epochs=2", "--lr=1e30"]
    assert "must be finite, got " in _refused(capsys, *diverging)
    assert contents(model) == before
    _out(capsys, *words, "--overwrite")
    assert contents(model)["model.safetensors"] != before["model.safetensors"]


@pytest.mark.parametrize(("place", "cause"), [("", "File exists"), ("/x", "Not a directory")])
def test_an_out_that_is_a_file(capsys: Capture, data: str, place: str, cause: str) -> None:
    before = Path(data).read_bytes()
    message = f"--out {data}{place} must be a folder that can be made, got {cause}. Choose another"
    assert _refused(capsys, "train", "--data", data, "--out", data + place).startswith(message)
    assert Path(data).read_bytes() == before


def test_a_folder_that_may_not_be_made(
    capsys: Capture, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "mkdir", forbidden)
    message = f"--out {out} must be a folder that can be made, got Permission denied. Choose"
    assert _refused(capsys, "train", "--data", data, "--out", str(out)).startswith(message)


def test_a_folder_that_may_not_be_written(
    capsys: Capture, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "write_bytes", forbidden)
    message = f"{out / 'metrics.csv'}: the file must be writable, got Permission denied. Name a"
    assert _refused(capsys, "train", "--data", data, "--out", str(out)).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epochs: 1\nepoch: 3\n", ":2: the option must be one of `train`, got 'epoch'. "),
        (b"epochs: 1\nepochs: 3\n", ":2: the option must come once, got 'epochs'. Keep one."),
        (b"epochs: many\n", ": `--epochs` must be a whole number, got 'many'. "),
        (b"epochs: [1\n", ":2 must be YAML, got expected ',' or ']'"),
        (b"just words", " must hold options by name, got something else. Write lines such as"),
        (b"", " must hold options by name, got something else. Write lines such as"),
        (b"\xff\xfe", " must be a readable YAML file, got 'utf-8' codec can't decode byte 0xff"),
        (b"- a\n", " must hold options by name, got something else. Write lines such as"),
    ],
)
def test_refused_option_files(
    capsys: Capture, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    words = ["train", "--config", str(path), "--out", str(tmp_path / "out")]
    assert _refused(capsys, *words).startswith(f"{path}{message}")
    assert contents(tmp_path) == {"bad.yaml": content}


def test_a_node_link_file_that_is_none(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    for content, message in (
        ("{", " must be JSON, got Expecting property name"),
        ("[" * 100_000, " must be JSON, got maximum recursion depth"),
        ('{"nodes": 3}', ": "),
    ):
        path.write_text(content, encoding="utf-8")
        assert _refused(capsys, "compare", str(path), "a").startswith(f"{path}{message}")


def test_a_network_that_does_not_fit_into_memory(capsys: Capture, tmp_path: Path) -> None:
    words = ["train", "--out", str(tmp_path / "out"), "--dim", "8000000000"]
    message = "the network and a batch must fit into memory, got "
    refusal = _refused(capsys, *words)
    assert refusal.startswith(message)
    assert refusal.endswith("Make --dim, --num_buckets or --batch_size smaller.")


def _process(*words: str, stdout: Any = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grapheme_torch.cli", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip


def test_a_process_refuses_bytes_that_are_no_text() -> None:
    run = _process("compare", os.fsdecode(b"\xff"), "a")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("grapheme: argument 2 must be valid text, got '\\udcff'. ")


def test_a_reader_that_leaves_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        run = _process("compare", "kitten", "sitting", stdout=pipe)
    assert (run.returncode, run.stderr) == (0, "")


def test_an_output_that_cannot_hold_the_text_is_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    message = "the output (ascii) must be able to hold every character, got 'é'. Set PYTHONUTF8=1."
    assert _refused(capsys, "compare", "é", "a") == message


def test_a_full_disk_is_refused(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def fileno(self) -> int:
            return disk.fileno()

    with (tmp_path / "disk").open("w", encoding="utf-8") as disk:
        monkeypatch.setattr(sys, "stdout", Full())
        message = "the output must be writable, got [Errno 28] No space left on device."
        assert _refused(capsys, "compare", "a", "b") == message


def test_an_interruption_has_status_130(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grapheme_torch.train.compare", interrupted)
    assert main(["compare", "a", "b"]) == 130
    assert capsys.readouterr() == ("", "grapheme: interrupted.\n")


def test_the_small_network_is_the_one_the_flags_name(trained: Path) -> None:
    assert GraphTransformNet.from_pretrained(trained).config.items() >= SMALL.items()
