"""Learnt scores in a run: asked for by options, saved with it, read again, gone on with."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from grapheme_torch import (
    GraphMatcher,
    InputError,
    Learned,
    Sinkhorn,
    StructuralLoss,
    text_to_graph,
)
from grapheme_torch.data import load_pairs
from grapheme_torch.train import (
    Matching,
    Optimization,
    check_saved_model,
    chosen_options,
    evaluate,
    explain,
    load_network,
    saved_loss,
)

from .runs import contents, quick, rows

SCORES: dict[str, Any] = {"use": "prior", "dim": 8, "num_layers": 1, "num_coordinates": 2}
ASKED: dict[str, Any] = {"matcher": SCORES}


def options_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((out / "train.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("learned")
    quick(out, loss={**ASKED, "matcher": {**SCORES, "margins": 0.5}}, val="kindergarten")
    return out


@pytest.mark.repeats
def test_a_run_saves_its_matcher_and_reads_it_again(run: Path) -> None:
    saved = options_of(run)
    assert saved["matcher"] == {**SCORES, "edits": 1.0, "margins": 0.5}
    assert saved["alignment"]["gradient"] == "exact"
    assert "loss_modules" not in saved
    loss = saved_loss(run)
    assert isinstance(loss.alignment, Learned)
    assert (loss.alignment.use, loss.alignment.margins) == ("prior", 0.5)
    matcher = loss.alignment.matcher
    assert isinstance(matcher, GraphMatcher)
    assert matcher.config["embedding"] == 16
    torch.manual_seed(0)
    assert float(matcher.log_scale.detach()) != 0.0  # it has learnt
    assert all(p.device.type == "cpu" and p.requires_grad for p in matcher.parameters())
    assert "margins" in rows(run)[0]


@pytest.mark.repeats
def test_what_is_made_of_a_run_knows_its_matcher(run: Path) -> None:
    report = evaluate(run, load_pairs("kindergarten")[:4])
    assert list(report.loss) == ["total", "node", "edge", "clique", "margins", "converged"]
    assert check_saved_model(str(run), pairs=2, entries=1, rounds=2).passed
    network = load_network(run)
    found = explain(network, text_to_graph("abc"), text_to_graph("ab"), loss=saved_loss(run))
    assert "margins" in str(found.to_dict())


@pytest.mark.repeats
def test_a_longer_run_is_what_it_had_been_at_once(run: Path, tmp_path: Path) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    for epochs in (1, 2):
        quick(short, loss=ASKED, epochs=epochs, resume=epochs == 2)
    quick(long, loss=ASKED, epochs=2)
    for name in ("model.safetensors", "loss.safetensors"):
        assert contents(short)[name] == contents(long)[name]
    with pytest.raises(InputError, match=r"`--matcher\.use` must be 'prior' as in the run"):
        quick(short, loss={"matcher": {**SCORES, "use": "plan"}}, epochs=3, resume=True)


@pytest.mark.repeats
def test_a_matcher_made_by_hand_is_saved_as_options(run: Path, tmp_path: Path) -> None:
    """Where its sizes are those of the network; any other is to be given anew."""
    network = load_network(run)
    sizes: dict[str, Any] = {"embedding": 16, "dim": 8, "num_layers": 0, "num_coordinates": 0}
    labels, relations = len(network.labels), len(network.relations)
    for name, slots in (("usual", None), ("other", 40)):
        matcher = GraphMatcher(labels, relations, **sizes, slots=slots)
        loss = StructuralLoss(alignment=Learned(matcher, use="start"))
        quick(tmp_path / name, loss=loss, epochs=1)
    assert saved_loss(tmp_path / "usual").alignment.use == "start"
    with pytest.raises(InputError, match="`alignment` must be given, got nothing for Learned"):
        saved_loss(tmp_path / "other")
    again = saved_loss(tmp_path / "other", alignment=Learned(matcher, use="start"))
    assert isinstance(again.alignment, Learned)


def test_a_temperature_is_annealed(tmp_path: Path) -> None:
    quick(tmp_path, loss=ASKED, epochs=1, optimization=Optimization(temperature_start=0.5))
    assert saved_loss(tmp_path).spec.solver == Sinkhorn()


def test_no_matcher_leaves_no_trace(tmp_path: Path) -> None:
    """So that runs of earlier releases go on."""
    quick(tmp_path, loss={"matcher": {"use": "none"}}, epochs=0)
    assert "matcher" not in options_of(tmp_path)
    assert isinstance(saved_loss(tmp_path).alignment, Sinkhorn)


def test_choices_mind_a_matcher() -> None:
    chosen = chosen_options(loss=ASKED, data="kindergarten")
    assert "alignment.gradient" not in chosen.choices
    assert chosen.options["matcher"]["use"] == "prior"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"use": "warm"},
            "`use` must be one of none, plan, start, prior, got 'warm'",
            marks=pytest.mark.untyped,
        ),
        ({"use": "plan", "dim": 0}, "`dim` must be from 1 to 4096, got 0"),
        ({"use": "plan", "dim": 10**9}, "`dim` must be from 1 to 4096, got 1000000000"),
        ({"use": "plan", "edits": -1.0}, "`edits` must not be negative"),
        ({"used": "plan"}, "`matcher` must hold only the options use, edits, margins"),
    ],
)
def test_options_out_of_range_are_refused(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        quick(tmp_path, loss={"matcher": options})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 4096, "num_layers": 64}, "must hold the weights of the module"),
        ({"dim": 10**12}, "`dim` must be from 1 to 4096"),
        pytest.param({"use": 3}, "`use` must be one of", marks=pytest.mark.untyped),
    ],
)
def test_a_matcher_of_a_strangers_run_is_looked_at_first(
    run: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    for name in ("config.json", "loss.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    saved = options_of(run)
    saved["matcher"] |= change
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(saved), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        saved_loss(tmp_path)


def test_a_description_that_is_none_is_refused(run: Path, tmp_path: Path) -> None:
    for name in ("train.yaml", "loss.safetensors"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    for text in ("{}", "[", '{"network": 3}'):
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="must describe the network of a run"):
            saved_loss(tmp_path)


def test_matching_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Matching().use = "plan"  # type: ignore[misc]
