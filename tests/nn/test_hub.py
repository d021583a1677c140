"""Models go to the Hub and come back; what comes from there is a stranger's folder."""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml

from grapheme_torch import GraphTransformNet, InputError
from grapheme_torch._extras import MissingExtra
from grapheme_torch.nn import CARD, ModelCard
from grapheme_torch.train import load_network

from .fake_hub import FakeHub, reached_hub

hub_library = pytest.importorskip("huggingface_hub")
NAME = "somebody/kg"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with reached_hub(monkeypatch, tmp_path / "cache") as found:
        monkeypatch.chdir(tmp_path)
        yield found


def network() -> GraphTransformNet:
    return GraphTransformNet(["a", "b"], ["next"], dim=8, num_layers=1, num_buckets=16)


def pushed(hub: FakeHub) -> GraphTransformNet:
    model = network()
    assert model.push_to_hub(NAME).startswith(f"{hub.url}/{NAME}/")
    return model


def test_a_model_comes_back_as_it_went(hub: FakeHub, tmp_path: Path) -> None:
    model = pushed(hub)
    assert set(hub.repositories[NAME]) == {"config.json", "model.safetensors", CARD}
    again = GraphTransformNet.from_pretrained(NAME)
    assert again.config == model.config
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight)
    # The cache has links out of the folder, which our own rules refuse.
    assert any(path.is_symlink() for path in (tmp_path / "cache").rglob("model.safetensors"))


def test_what_is_in_the_cache_is_not_asked_for_again(hub: FakeHub, tmp_path: Path) -> None:
    pushed(hub)
    GraphTransformNet.from_pretrained(NAME, cache_dir=tmp_path / "other")
    before = sum("/resolve/" in request for request in hub.requests)
    GraphTransformNet.from_pretrained(NAME, cache_dir=tmp_path / "other")
    assert sum("/resolve/" in request for request in hub.requests) == before > 0


def test_a_model_that_was_downloaded_needs_no_connection(hub: FakeHub, tmp_path: Path) -> None:
    pushed(hub)
    with pytest.raises(InputError, match=r"must be on the Hub, .* Download it once"):
        GraphTransformNet.from_pretrained(NAME, local_files_only=True)
    model = GraphTransformNet.from_pretrained(NAME)
    asked = list(hub.requests)
    again = GraphTransformNet.from_pretrained(NAME, local_files_only=True)
    assert hub.requests == asked
    assert again.config == model.config


def test_only_the_two_files_of_a_model_are_taken(hub: FakeHub, tmp_path: Path) -> None:
    pushed(hub)
    hub.repositories[NAME]["train.py"] = b"raise SystemExit"
    GraphTransformNet.from_pretrained(NAME)
    assert not list((tmp_path / "cache").rglob("train.py"))


def test_a_readme_that_is_there_stays_unless_a_card_is_given(hub: FakeHub) -> None:
    model = pushed(hub)
    first = hub.repositories[NAME][CARD].decode()
    assert f'from_pretrained("{NAME}")' in first
    hub.repositories[NAME][CARD] = b"mine"
    model.push_to_hub(NAME)
    assert hub.repositories[NAME][CARD] == b"mine"
    model.push_to_hub(NAME, card=ModelCard(license="mit"))
    header = hub.repositories[NAME][CARD].decode().split("---")[1]
    assert yaml.safe_load(header)["license"] == "mit"


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.json", b"{", "must be JSON"),
        ("config.json", None, "must be a readable file"),
        ("model.safetensors", None, "must be a readable file"),
        ("model.safetensors", pickle.dumps([1]), "must be a safetensors file"),
        ("model.safetensors", bytes(10**7), "more than the"),
    ],
    ids=["no JSON", "no description", "no weights", "pickle", "too large"],
)
def test_what_a_stranger_has_put_there_is_refused(
    hub: FakeHub, file: str, content: bytes | None, told: str
) -> None:
    pushed(hub)
    files = hub.repositories[NAME]
    if content is None:
        del files[file]
    else:
        files[file] = content
    with pytest.raises(InputError, match=rf"^{NAME}/{file}.* {told}"):
        GraphTransformNet.from_pretrained(NAME)


def test_a_model_that_is_not_there_is_refused(hub: FakeHub) -> None:
    told = r'^the model "some/thing" must be on the Hub, got .*404.* Check the name'
    with pytest.raises(InputError, match=told):
        GraphTransformNet.from_pretrained("some/thing")


def test_a_hub_that_cannot_be_reached_is_refused(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    for call in (network().push_to_hub, GraphTransformNet.from_pretrained):
        with pytest.raises(InputError, match=r"must be on the Hub, got .* the connection"):
            call("some/thing")


def test_a_folder_of_that_name_comes_first(hub: FakeHub, tmp_path: Path) -> None:
    network().save_pretrained(tmp_path / NAME)
    GraphTransformNet.from_pretrained(NAME)
    assert hub.requests == []


@pytest.mark.untyped
def test_a_card_that_the_hub_refuses_is_refused(hub: FakeHub) -> None:
    wrong = ModelCard(license=1)
    with pytest.raises(InputError, match=r'must be on the Hub, got .*"license" must be a string'):
        network().push_to_hub(NAME, card=wrong)


@pytest.mark.parametrize("folder", [Path("some/thing"), "some/thing/else", "./some/thing", "thing"])
def test_other_names_are_folders(hub: FakeHub, folder: str | Path) -> None:
    with pytest.raises(InputError, match=r"config\.json must be a readable file"):
        GraphTransformNet.from_pretrained(folder)
    assert hub.requests == []


def test_the_command_never_asks_the_hub(hub: FakeHub) -> None:
    with pytest.raises(InputError, match=r"^some/thing/config\.json must be a readable file"):
        load_network("some/thing")
    assert hub.requests == []


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    told = r"needs huggingface_hub, .* pip install 'grapheme-torch\[hub\]'"
    for call in (network().push_to_hub, GraphTransformNet.from_pretrained):
        with pytest.raises(MissingExtra, match=told):
            call("some/thing")
