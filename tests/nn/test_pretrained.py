"""A network on disk: it comes back bit for bit, and what is not one is refused by name."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from grapheme_torch import GraphTransformNet, InputError, text_to_graph
from grapheme_torch.nn import grouped

from .inputs import random_graph

OPTIONS: dict[str, Any] = {
    "dim": 16, "num_layers": 1, "num_heads": 2, "num_buckets": 32,
    "candidates": {"pairs": "all", "window": 3}, "slots": {"per_node": 2, "num_layers": 2},
    "copy": True, "places": "count",
}  # fmt: skip
NETWORK = "Give the folder that `grapheme train` or `save_pretrained` wrote."
WEIGHTS = "Restore the file, or train again: weights are only read from safetensors."


def _model() -> GraphTransformNet:
    return GraphTransformNet(["a", "é", "🇩🇪", '"'], ["next", ""], **grouped(OPTIONS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "runs" / "kg"
    _model().save_pretrained(where)
    return where


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_comes_back_bit_for_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    model = _model().to(dtype)
    model.save_pretrained(tmp_path)
    again = GraphTransformNet.from_pretrained(tmp_path)
    assert again.config == model.config
    assert again.config["labels"] == ["a", "é", "🇩🇪", '"']
    assert (again.labels, again.relations) == (model.labels, model.relations)
    assert (again.candidates, again.window) == ("all", 3)
    assert (again.num_slots, again.places) == (2, "count")
    weights = dict(again.named_parameters())
    assert list(weights) == [name for name, _ in model.named_parameters()]
    for name, parameter in model.named_parameters():
        assert weights[name].dtype == dtype
        assert weights[name].requires_grad
        assert torch.equal(weights[name], parameter), name
    graph = text_to_graph("abc é")
    for name in ("existence", "label", "relation", "position"):
        assert torch.equal(getattr(again(graph), name), getattr(model(graph), name)), name


def test_a_file_from_before_slots_were_filled_in_turn_says_what_it_said(folder: Path) -> None:
    model, graph = GraphTransformNet.from_pretrained(folder), text_to_graph("abc é")
    document = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert document["network"]["slots"].pop("in_turn") is False
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
    again = GraphTransformNet.from_pretrained(folder)
    assert torch.equal(again(graph).existence, model(graph).existence)


def test_three_files_and_nothing_else(folder: Path) -> None:
    names = ["README.md", "config.json", "model.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    document = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (document["format"], document["version"]) == ("grapheme-torch", 2)
    assert document["network"] == _model().config


def test_saving_again_replaces(folder: Path) -> None:
    model = _model()
    model.save_pretrained(folder)
    again = GraphTransformNet.from_pretrained(str(folder))
    assert torch.equal(again.embedding.weight, model.embedding.weight)


def _config(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        changed = change(document)
        path.write_text(json.dumps(document if changed is None else changed), encoding="utf-8")

    return spoil


def _written(name: str, content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return spoil


def _gone(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()

    return spoil


def _a_folder(name: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])


def _with_weight(value: float) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "model.safetensors"
        weights = load_file(path)
        weights["heads.label.weight"][0, :2] = value
        save_file(weights, path)

    return spoil


def _of_another(**options: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        other = GraphTransformNet(["a"], ["next"], **grouped(OPTIONS | options))
        save_file(other.state_dict(), folder / "model.safetensors")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "file", "message"),
    [
        (_gone("config.json"), "config.json", "be a readable file, got No such file or directory"),
        (_a_folder("config.json"), "config.json", "be a readable file, got Is a directory"),
        (_written("config.json", b'{"format": '), "config.json", "be JSON, got Expecting value"),
        (_written("config.json", b"\xff\xfe"), "config.json", "be JSON, got 'utf-8' codec"),
        (_written("config.json", b"[" * 100_000), "config.json", "be JSON, got maximum recursion"),
        (_config(lambda _: [1, 2]), "config.json", 'say "format": "grapheme-torch", got [1, 2]'),
        (
            _config(lambda document: document.update(format="bert")),
            "config.json",
            "say \"format\": \"grapheme-torch\", got {'format': 'bert'",
        ),
        (
            _config(lambda document: document.update(version=1)),
            "config.json",
            'say "version": 2, got 1. Another release wrote it: install that one, or '
            'train the model again.',
        ),
        (
            _config(lambda document: document.pop("network") and None),
            "config.json",
            'hold an object "network", got None',
        ),
        (
            _gone("model.safetensors"), "model.safetensors",
            "be a readable file, got No such file or directory",
        ),
        (_truncated, "model.safetensors", "be a safetensors file, got "),
        (_written("model.safetensors", b""), "model.safetensors", "be a safetensors file, got "),
        (
            _written("model.safetensors", b"\x80\x04pickle of something"),
            "model.safetensors",
            "be a safetensors file, got ",
        ),
        (
            _with_weight(float("nan")), "model.safetensors",
            "hold finite weights only, got 2 NaN or infinite of 80 in `heads.label.weight`. "
            "Train again, at a lower --lr.",
        ),
        (
            _with_weight(float("-inf")), "model.safetensors",
            "hold finite weights only, got 2 NaN or infinite of 80 in `heads.label.weight`. "
            "Train again, at a lower --lr.",
        ),
    ],
)  # fmt: skip
def test_refused_files(
    folder: Path, spoil: Callable[[Path], None], file: str, message: str
) -> None:
    spoil(folder)
    start = f"{folder / file} must {message}"
    with pytest.raises(InputError, match="^" + re.escape(start)) as caught:
        GraphTransformNet.from_pretrained(folder)
    remedies = (NETWORK, WEIGHTS, "--lr.", "train the model again.")
    assert str(caught.value).endswith(remedies)


@pytest.mark.parametrize(
    "spoil",
    [
        _of_another(),  # fewer labels
        _of_another(dim=32),
        _of_another(num_layers=2),
        _of_another(slots={"per_node": 3}),
        _of_another(slots={}),
        _of_another(copy=False),
        _config(lambda document: document["network"].update(dim=12)),
        _config(lambda document: document["network"].update(dim=-16)),
        _config(lambda document: document["network"].update(dim="16")),
        _config(lambda document: document["network"].update(num_heads=0)),
        _config(lambda document: document["network"].update(num_buckets=0)),
        _config(lambda document: document["network"].update(labels=None)),
        _config(lambda document: document["network"].update(colour="blue")),
        _config(lambda document: document["network"].pop("labels") and None),
        _config(lambda document: document["network"].update(candidates={"pairs": "none"})),
        _config(lambda document: document["network"].update(candidates={"colour": 1})),
        _config(lambda document: document["network"].update(candidates="all")),
        _config(lambda document: document["network"].update(places="none")),
    ],
)
def test_weights_and_description_that_do_not_fit_are_refused(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder)
    start = f"{folder / 'config.json'} and model.safetensors must describe one and the same network"
    with pytest.raises(InputError, match="^" + re.escape(start) + ", got .*\\. Train the model"):
        GraphTransformNet.from_pretrained(folder)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for where, cause in (("file/run", "Not a directory"), ("file", "File exists")):
        message = f"{tmp_path / where} must be a folder, got {cause}. Choose another place."
        with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
            _model().save_pretrained(tmp_path / where)


def test_a_network_saved_before_edges_were_symmetric_says_what_it_said(tmp_path: Path) -> None:
    """Also after it is saved once more."""
    old, new = (
        GraphTransformNet("ab", ["x"], dim=8, directed=False, symmetric=said)
        for said in (False, True)
    )
    new.load_state_dict(old.state_dict())
    del old.config["symmetric"]
    old.save_pretrained(tmp_path)
    graph = random_graph(3, 6)
    wanted, other = old(graph).relation, new(graph).relation
    for _ in range(2):
        back = GraphTransformNet.from_pretrained(tmp_path)
        torch.testing.assert_close(back(graph).relation, wanted, rtol=0, atol=0)
        assert back.config["symmetric"] is False
        back.save_pretrained(tmp_path)
    assert (wanted - other).abs().max() > 1e-4
