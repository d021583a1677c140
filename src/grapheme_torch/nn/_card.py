"""README.md of a saved model: a model card in the Hub's form, a header in YAML and a page."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._check import Received, require
from .._files import write_text
from .._startup import installed_version

CARD = "README.md"
LIBRARY = "grapheme-torch"
TASK = "graph-ml"
"""The Hub's name of what these networks do."""

_PAGE = """\
# {title}

{task}

`{kind}` of grapheme-torch {version}. Weights: {weights:,}. Labels of nodes: {labels:,}. Relations
of edges: {relations:,}.

## Use

`pip install grapheme-torch`, then

```python
import grapheme_torch as gt
from torch_geometric.data import Batch

model = gt.GraphTransformNet.from_pretrained("{place}").eval()
batch = Batch.from_data_list([gt.text_to_graph("...")])
answer = gt.decode(model(batch), model.labels, model.relations)[0]
gt.graph_to_node_link(answer)
```
"""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What the card of a model says that its weights do not tell.

    Args:
        title: Heading, and name of the model in its results.
        task: What the model does, in a sentence or two of Markdown.
        license: Name of the licence as the Hub spells it, such as "mit".
        datasets: Names of data sets on the Hub that it was trained on.
        digests: SHA-256 of the files that it was trained on, by their names.
        metrics: Results by the names of their metrics, such as "exact_match"; finite.
        measured_on: What the results were measured on; needed where there are any.
        options: Settings of the training, by name; values that JSON can hold.
        tags: Further words to find it by.
        place: Folder or name on the Hub that its example loads.

    Raises:
        InputError: If a result is not finite, or nothing says what it was measured on.
    """

    title: str = "A network from graphs to graphs"
    task: str = "Its input is a graph or a text, and its output is a graph."
    license: str | None = None
    datasets: Sequence[str] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    measured_on: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    place: str = "FOLDER"

    def __post_init__(self) -> None:
        """Refuses results that tell nothing."""
        bad = [name for name, value in self.metrics.items() if not math.isfinite(value)]
        require(not bad, "`metrics`", "be finite", Received(", ".join(bad)), "Leave them out.")
        told = not self.metrics or bool(self.measured_on)
        remedy = "Name the data set, such as test.jsonl."
        require(told, "`measured_on`", "be given with `metrics`", self.measured_on, remedy)

    def header(self) -> dict[str, Any]:
        """The metadata that the Hub reads, by its keys."""
        found: dict[str, Any] = {"library_name": LIBRARY, "pipeline_tag": TASK}
        found["tags"] = list(dict.fromkeys([LIBRARY, "graph-generation", *self.tags]))
        if self.license is not None:
            found["license"] = self.license
        if self.datasets:
            found["datasets"] = list(self.datasets)
        if self.metrics:
            found["metrics"] = list(self.metrics)
            found["model-index"] = [{"name": self.title, "results": [self._result()]}]
        return found

    def _result(self) -> dict[str, Any]:
        metrics = [{"type": name, "value": value} for name, value in self.metrics.items()]
        dataset = {"name": self.measured_on, "type": self.measured_on}
        return {"task": {"type": TASK}, "dataset": dataset, "metrics": metrics}

    def text(self, kind: str, config: Mapping[str, Any], num_weights: int) -> str:
        """The whole README.md.

        Args:
            kind: Class of the network.
            config: Its options, and its labels and relations.
            num_weights: How many numbers its weights are.
        """
        # JSON is YAML: no other library is needed to write it.
        lines = [f"{key}: {_json(value)}" for key, value in self.header().items()]
        page = _PAGE.format(
            title=self.title, task=self.task, kind=kind, version=installed_version(),
            weights=num_weights, labels=len(config.get("labels", ())),
            relations=len(config.get("relations", ())), place=self.place,
        )  # fmt: skip
        told = ("labels", "relations", "uncopied", "class")
        network = {name: value for name, value in config.items() if name not in told}
        parts = [
            _table("Data", ("file", "SHA-256"), self.digests),
            _table(f"Results on {self.measured_on}", ("metric", "value"), self.metrics),
            _table("Options of the network", ("option", "value"), network),
            _table("Options of the training", ("option", "value"), self.options),
        ]
        return "\n".join(["---", *lines, "---", page, *filter(None, parts)])


def write_card(
    folder: Path, card: ModelCard | None, kind: str, config: Mapping[str, Any], num_weights: int
) -> None:
    """Writes README.md; without a card of its own, one that is already there stays.

    Raises:
        InputError: If it cannot be written.
    """
    if card is not None or not (folder / CARD).exists():
        write_text(folder / CARD, (card or ModelCard()).text(kind, config, num_weights))


def _table(title: str, heads: tuple[str, str], rows: Mapping[str, Any]) -> str:
    if not rows:
        return ""
    lines = [f"| {heads[0]} | {heads[1]} |", "| --- | --- |"]
    lines += [f"| {_cell(name)} | {_cell(_shown(value))} |" for name, value in rows.items()]
    return "\n".join([f"## {title}", "", *lines, ""])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _cell(text: str) -> str:
    """Text as code in a cell; what would end either is taken out of it."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
