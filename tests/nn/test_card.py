"""README.md of a model: a header that the Hub reads, and a page that tells how to use it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import grapheme_torch
from grapheme_torch import GraphTransformNet, InputError
from grapheme_torch.nn import CARD, ModelCard

FULL = ModelCard(
    title="Colours | of things",
    task="Answers questions about colours.",
    license="mit",
    datasets=["somebody/colours"],
    digests={"train.jsonl": "0" * 64},
    metrics={"exact_match": 0.75, "edit_cost": 1.5},
    measured_on="test.jsonl",
    options={"epochs": 3, "loss": {"alpha": 1.0}, "note": "a|b `c`\nd"},
    tags=["chemistry", "grapheme-torch"],
    place="runs/colours",
)


def network() -> GraphTransformNet:
    return GraphTransformNet(["a", "b"], ["next"], dim=8, num_layers=1, num_buckets=16)


def saved(folder: Path, card: ModelCard | None = None) -> tuple[dict[str, Any], str]:
    """The header and the page of the card of a network saved there."""
    network().save_pretrained(folder, card=card)
    empty, header, page = (folder / CARD).read_text(encoding="utf-8").split("---\n", 2)
    assert empty == ""
    return yaml.safe_load(header), page


def test_the_header_is_what_the_hub_reads(tmp_path: Path) -> None:
    header, _ = saved(tmp_path, FULL)
    (model,) = header.pop("model-index")
    assert header == {
        "library_name": "grapheme-torch",
        "pipeline_tag": "graph-ml",
        "tags": ["grapheme-torch", "graph-generation", "chemistry"],
        "license": "mit",
        "datasets": ["somebody/colours"],
        "metrics": ["exact_match", "edit_cost"],
    }
    (result,) = model["results"]
    assert model["name"] == FULL.title
    assert result["dataset"]["name"] == "test.jsonl"
    assert {m["type"]: m["value"] for m in result["metrics"]} == FULL.metrics


def test_the_library_of_the_hub_reads_the_results(tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    saved(tmp_path, FULL)
    data = hub.ModelCard.load(tmp_path / CARD).data
    found = {result.metric_type: result.metric_value for result in data.eval_results}
    assert (data.model_name, found) == (FULL.title, FULL.metrics)


def test_the_page_tells_task_data_results_and_options(tmp_path: Path) -> None:
    _, page = saved(tmp_path, FULL)
    assert page.startswith("# Colours | of things\n\nAnswers questions about colours.\n")
    assert f"grapheme-torch {grapheme_torch.__version__}. Weights: " in page
    for row in ("`train.jsonl` | `" + "0" * 64 + "`", "`exact_match` | `0.75`", "`epochs` | `3`",
                "`dim` | `8`", '`loss` | `{"alpha": 1.0}`', r"`note` | `a\|b 'c' d`"):  # fmt: skip
        assert f"| {row} |" in page
    assert "| `labels` |" not in page  # there may be many thousands


def test_without_a_card_only_what_is_known_is_told(tmp_path: Path) -> None:
    header, page = saved(tmp_path)
    assert header.keys() == {"library_name", "pipeline_tag", "tags"}
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == ["Use", "Options of the network"]


def test_the_program_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, page = saved(Path("runs/colours"), FULL)
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["answer"].num_nodes is not None


def test_a_readme_of_the_user_stays_unless_a_card_is_given(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("mine", encoding="utf-8")
    network().save_pretrained(tmp_path)
    assert (tmp_path / CARD).read_text(encoding="utf-8") == "mine"
    network().save_pretrained(tmp_path, card=FULL)
    assert "Colours" in (tmp_path / CARD).read_text(encoding="utf-8")


def test_results_must_be_finite_and_of_something() -> None:
    with pytest.raises(InputError, match=r"^`metrics` must be finite, got loss\. Leave"):
        ModelCard(metrics={"loss": float("nan"), "edit_cost": 1.0}, measured_on="x")
    with pytest.raises(InputError, match=r"^`measured_on` must be given with `metrics`, got None"):
        ModelCard(metrics={"loss": 1.0})
