"""The command `grapheme`, as its abusers meet it: every refusal is one line, and spoils nothing."""

import errno
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from grapheme_torch._versions import current
from grapheme_torch.cli._main import main

from ..train.runs import contents
from .commands import FLAGS, Capture, output, refused

SEE = "`grapheme {} --help` shows what it takes."
NODE = {"id": 0, "label": "a"}


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    folder = tmp_path / "model"
    shutil.copytree(current(trained), folder)
    return folder


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
        (["trian"], "the first word must be a command, got 'trian'. Did you mean `train`? Choose "),
        (
            ["train", "--out=x", "--network.slots.per-node=0"],
            "`per_node` must be at least 1, got 0. ",
        ),
        (
            ["train", "--out=x", "--network.dim=6"],
            "`dim` must be a multiple of num_hashes (8), got 6. ",
        ),
        (["predict", "m", "-", "--data=-"], "`-` must be named once, as it is read once, got 2 "),
        (
            ["train", "--out", "o", "--monitoring.logger-options", "[1"],
            "`--monitoring.logger_options` must be arguments by name, got '[1'. ",
        ),
        (["predict", "m", "a", "--batch-size=0"], "`batch_size` must be at least 1, got 0. "),
        (["predict", "m", "a", "--max-nodes=0"], "`max_nodes` must be at least 1, got 0. "),
        (
            ["predict", "m", "a", "--format=xml"],
            "`--format` must be one of auto, lines, jsonl, got 'xml'. ",
        ),
        (
            ["train", "--out=x", "--epohcs", "3"],
            "the arguments must be ones that `grapheme train` takes, got --epohcs 3. Did you mean "
            "`--epochs`? `grapheme train --help` shows what it takes. A text that begins with a ",
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
        (
            ["train", "--out=x", "--network.candidates.window=x"],
            "`--network.candidates.window` must be a whole number, got 'x'. ",
        ),
        (["train", "--out=x", "--lr=nan"], "`--lr` must be a finite number, got 'nan'. "),
        (
            ["train", "--out=x", "--criterion=x"],
            "`--criterion` must be one of likelihood, edit, got 'x'. ",
        ),
        (
            ["check-gradients", "x", "--gradient=x"],
            "`--gradient` must be one of exact, unrolled, detach, got 'x'. ",
        ),
        (
            ["predict", "x", "a", "--constraint=ring"],
            "`--constraint` must be one of auto, none, path, tree, acyclic, learned, got 'ring'. ",
        ),
        (["train", "--out=x", "--epochs=-1"], "`epochs` must not be negative, got -1. "),
        (["train", "--out=x", "--lr=-1"], "`lr` must be positive and at most 1e30, got -1.0. "),
        (["train", "--out=x", "--lr", "-1"], "`lr` must be positive and at most 1e30, got -1.0. "),
        (
            ["train", "--out=x", "--alignment.temperature=-1"],
            "`temperature` must not be negative, got -1.0",
        ),
        (
            ["train", "--help.align"],
            "`--help.align` must name a group of `grapheme train`, got 'align'. Did you mean ",
        ),
        (
            ["predict", "--help.x"],
            "`--help.x` must name a group of `grapheme predict`, got 'x'. It",
        ),
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
    assert refused(capsys, *words).startswith(message)
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
            ':2: the "target" must have at most as many nodes as the "input", got 4 nodes for 3.',
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
    refusal = refused(capsys, *words)
    assert refusal.startswith(f"{path}{message}")
    assert re.search(r" must .*, got .*\. \S+", refusal)
    assert contents(tmp_path) == {"bad.jsonl": content.encode()}


@pytest.mark.parametrize(("name", "cause"), [("nowhere", "no such file"), (".", "a folder")])
def test_data_that_is_not_there(capsys: Capture, tmp_path: Path, name: str, cause: str) -> None:
    path = str(tmp_path / name)
    message = f"{path}: the data set must be a readable file, got {cause}. "
    assert refused(capsys, "train", "--data", path, "--out", str(tmp_path / "out")).startswith(
        message
    )
    assert not (tmp_path / "out").exists()


def test_data_that_is_no_utf_8(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(_line().encode() + b'\n{"input": "\xff"}')
    message = f"{path}:2: the line must be valid UTF-8, got byte 0xff at byte 12 of the line. Save"
    words = ["train", "--data", str(path), "--out", str(tmp_path / "out")]
    assert refused(capsys, *words).startswith(message)


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
    assert refused(capsys, command, str(model), *words).startswith(f"{model}{message}")
    assert contents(model) == before


def test_a_report_in_the_way_of_another(capsys: Capture, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("mine", encoding="utf-8")
    words = ["evaluate", str(model), "--out"]
    assert refused(capsys, *words, str(file)).startswith(
        f"{file}: the output must not exist, got an existing one. Choose another name"
    )
    nowhere = tmp_path / "nowhere" / "report.json"
    message = f"{nowhere}: the file must be writable, got No such file or directory. "
    assert refused(capsys, *words, str(nowhere)).startswith(message)
    missing = str(tmp_path / "missing.jsonl")
    assert "no such file" in refused(capsys, *words, str(file), "--overwrite", "--data", missing)
    assert file.read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "report.json"}


def test_answers_that_may_not_be_written(capsys: Capture, model: Path, tmp_path: Path) -> None:
    lines, out = tmp_path / "lines.txt", tmp_path / "out.txt"
    lines.write_bytes(b"abc\n\xff\n")
    words = ["predict", str(model), "--data", str(lines), "--out"]
    message = f"{lines}: the output must not be the input, got the same. Name another file; "
    assert refused(capsys, *words, str(lines), "--overwrite").startswith(message)
    message = f"{lines}:2: the line must be valid UTF-8, got byte 0xff"
    assert refused(capsys, *words, str(out)).startswith(message)
    assert not out.exists()
    out.write_text("mine", encoding="utf-8")
    assert "must not exist, got an existing one" in refused(capsys, *words, str(out))
    assert refused(capsys, *words, str(out), "--overwrite").startswith(message)
    assert out.read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"model", "lines.txt", "out.txt"}


def test_an_input_that_is_too_large(capsys: Capture, model: Path) -> None:
    message = 'text:2: the "input" must have at most 2000 nodes, got 10000 nodes, 100 million pairs'
    assert main(["predict", str(model), "abc", "a" * 10_000]) == 2
    assert capsys.readouterr().err.startswith(f"grapheme: {message}")
    assert "--max-nodes" in refused(capsys, "predict", str(model), "abcd", "--max-nodes=3")


def test_predict_wants_a_text(capsys: Capture, model: Path) -> None:
    message = "the texts must be at least one, got none. Give a text or --data."
    assert refused(capsys, "predict", str(model)) == message


def test_a_model_is_overwritten_only_on_request(capsys: Capture, model: Path, data: str) -> None:
    before = contents(model)
    words = ["train", "--data", data, "--out", str(model), "--epochs=0", *FLAGS]
    message = f"--out {model} must hold no run yet, got config.json. Choose another --out, or train"
    assert refused(capsys, *words).startswith(message)
    assert contents(model) == before
    diverging = [*words, "--overwrite", "--epochs=2", "--lr=1e30"]
    assert "must be finite, got " in refused(capsys, *diverging)
    assert contents(model) == before
    output(capsys, *words, "--overwrite")
    assert contents(model)["model.safetensors"] != before["model.safetensors"]


@pytest.mark.parametrize(("place", "cause"), [("", "File exists"), ("/x", "Not a directory")])
def test_an_out_that_is_a_file(capsys: Capture, data: str, place: str, cause: str) -> None:
    before = Path(data).read_bytes()
    message = f"--out {data}{place} must be a folder that can be made, got {cause}. Choose another"
    assert refused(capsys, "train", "--data", data, "--out", data + place).startswith(message)
    assert Path(data).read_bytes() == before


def test_a_folder_that_may_not_be_made(
    capsys: Capture, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "mkdir", forbidden)
    message = f"--out {out} must be a folder that can be made, got Permission denied. Choose"
    assert refused(capsys, "train", "--data", data, "--out", str(out)).startswith(message)


def test_a_folder_that_may_not_be_written(
    capsys: Capture, tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "write_bytes", forbidden)
    message = f"{out / 'model.safetensors'}: the file must be writable, got Permission denied. N"
    assert refused(capsys, "train", "--data", data, "--out", str(out)).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epochs: 1\nepoch: 3\n", ":2: the option must be one of `train`, got 'epoch'. "),
        (b"epochs: 1\nepochs: 3\n", ":2: the option must come once, got 'epochs'. Keep one."),
        (b"# all\nepochs: many\n", ":2: `--epochs` must be a whole number, got 'many'. "),
        (b"epochs: [1\n", ":2 must be YAML, got expected ',' or ']'"),
        (b"just words", " must hold options by name, got something else. Write lines such as"),
        (b"lr: 1\nseed:\n", ":2: `--seed` must be a whole number, got nothing. Write one, or "),
        (
            b"alpha: ~\n",
            ":1: `--alpha` must be a finite number, got nothing. Write one, or leave the ",
        ),
        (
            b"stopping: {keep: null}\n",
            ":1: `--stopping.keep` must be text, got nothing. Write one, or leave the line ",
        ),
        (
            b"alignment:\n  temperature: warm\n",
            ":2: `--alignment.temperature` must be a finite number, got 'warm'. ",
        ),
        (
            b"network:\n  candidates:\n    windw: 3\n",
            ":3: the option must be one of `train`, got 'network.candidates.windw'. Did you mean ",
        ),
        (
            b"hints:\n  position: 1\nhints:\n  position: 2\n",
            ":4: the option must come once, got 'hints.position'. Keep one.",
        ),
        (b"alignment: exact\n", ":1: the option must be one of `train`, got 'alignment'. "),
        (
            b"epohcs: 1\n",
            ":1: the option must be one of `train`, got 'epohcs'. Did you mean `epochs`",
        ),
        (b"batch-size: 1\nbatch_size: 1\n", ":2: the option must come once, got 'batch_size'. "),
        (b"? [a]\n: 1\n", " must hold options by name, got something else. Write lines such as"),
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
    assert refused(capsys, *words).startswith(f"{path}{message}")
    assert contents(tmp_path) == {"bad.yaml": content}


def test_a_node_link_file_that_is_none(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    for content, message in (
        ("{", " must be JSON, got Expecting property name"),
        ("[" * 100_000, " must be JSON, got maximum recursion depth"),
        ('{"nodes": 3}', ": "),
        ('{"nodes": [], "edges": [], "nodes": []}', ": the keys of an object must be unique, got"),
        ('{"nodes": NaN}', ": a number must be finite, got NaN. "),
    ):
        path.write_text(content, encoding="utf-8")
        assert refused(capsys, "compare", str(path), "a").startswith(f"{path}{message}")


def test_a_network_that_does_not_fit_into_memory(capsys: Capture, tmp_path: Path) -> None:
    words = ["train", "--out", str(tmp_path / "out"), "--network.dim", "8000000000"]
    message = "the network and a batch must fit into memory, got "
    refusal = refused(capsys, *words)
    assert refusal.startswith(message)
    assert refusal.endswith("Make --network.dim, --network.num-buckets or --batch-size smaller.")
