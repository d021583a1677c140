"""A run leaves a model card: what it was trained on, and how well it does."""

import json
from pathlib import Path

import yaml

from grapheme_torch.nn import CARD

from .runs import PAIRS, quick, write_pairs


def header(out: Path) -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load((out / CARD).read_text().split("---\n")[1])
    return document


def test_the_card_of_a_run_tells_data_and_results(tmp_path: Path) -> None:
    data = write_pairs(tmp_path / "mine.jsonl", PAIRS)
    out = tmp_path / "runs" / "x"
    summary = quick(out, data=str(data), val=str(data))
    page = (out / CARD).read_text(encoding="utf-8")
    (model,) = header(out)["model-index"]  # type: ignore[misc]
    (result,) = model["results"]
    assert model["name"] == "x"
    assert result["dataset"]["name"] == "mine.jsonl (validation pairs)"
    assert result["metrics"] == [{"type": "exact_match", "value": summary.val_exact_match}]
    origin = json.loads((out / "current" / "state.json").read_text(encoding="utf-8"))
    assert f"| `mine.jsonl` | `{origin['digests']['data']}` |" in page
    assert "| `epochs` | `" in page
    assert str(tmp_path) not in page


def test_a_readme_of_the_user_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text("mine", encoding="utf-8")
    quick(tmp_path)
    assert (tmp_path / CARD).read_text(encoding="utf-8") == "mine"
    assert header(tmp_path / "current")["library_name"] == "grapheme-torch"


def test_a_new_run_has_its_own_card(tmp_path: Path) -> None:
    quick(tmp_path, seed=1)
    before = (tmp_path / CARD).read_text(encoding="utf-8")
    quick(tmp_path, seed=2, overwrite=True)
    after = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "| `seed` | `1` |" in before
    assert "| `seed` | `2` |" in after
