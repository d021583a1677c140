"""Whatever is given to a loss: the right value, the same on either backend, or an `InputError`."""

import random
from typing import Any

import pytest
import torch
from torch_geometric.data import Data

from grapheme_torch import InputError, Prediction, Tiled, Window
from grapheme_torch._tensors import is_dense
from grapheme_torch.ot import backend, set_backend

from ..law import Arguments, Subject, tried
from ..problems import join, loss_of, random_pairs, union

DRAWS = 120

FIELDS = (
    "existence",
    "label",
    "edge_index",
    "relation",
    "batch",
    "num_graphs",
    "position",
    "weight",
)
TARGETS = ("y", "edge_index", "edge_type", "edge_weight", "position", "batch")


def _arguments(rng: random.Random) -> Arguments:
    """The tensors of a small batch by name, those of the target with a prefix."""
    sizes = [(rng.randint(0, 4), rng.randint(0, 4)) for _ in range(rng.randint(1, 3))]
    predictions, targets = random_pairs(rng.randrange(1000), sizes)
    prediction, target = join(predictions), union(targets)
    given = {name: getattr(prediction, name) for name in FIELDS if name != "weight"}
    if rng.random() < 0.5:
        given["weight"] = torch.rand(len(prediction.relation), dtype=torch.float64)
        target.edge_weight = torch.rand(target.edge_index.shape[1])
    if rng.random() < 0.3:
        given["position"] = None
    wanted = {f"target_{name}": target.get(name) for name in TARGETS}
    if rng.random() < 0.3:
        given["temperature"] = rng.choice([0.3, torch.full((len(sizes),), 0.2)])
    return given | {k: v for k, v in wanted.items() if v is not None} | {"num_nodes": len(target.y)}


def _batch(arguments: Arguments) -> tuple[Prediction, Data]:
    fields = {name: arguments[name] for name in FIELDS if name in arguments}
    target = Data(num_nodes=arguments["num_nodes"])
    for name in TARGETS:
        if f"target_{name}" in arguments:
            target[name] = arguments[f"target_{name}"]
    return Prediction(**fields), target


def _subject(**options: Any) -> Subject:
    loss = loss_of(reduction="none", max_iterations=1000, **options)

    def call(arguments: Arguments) -> Any:
        more = {} if "temperature" not in arguments else {"temperature": arguments["temperature"]}
        return loss(*_batch(arguments), **more)

    def check(arguments: Arguments, result: Any) -> None:
        total = options.get("alpha", 1.0) * result.node + 0.5 * result.edge + 2.0 * result.clique
        torch.testing.assert_close(result.total, total, equal_nan=True, rtol=1e-4, atol=1e-4)
        known = result.residual.isfinite()
        assert result.total[known].isfinite().all(), "infinite, and the plan is known"
        assert result.total[~known].isnan().all(), "a number, and the plan is not known"
        dense = [x for x in arguments.values() if is_dense(x) and not x.is_meta]
        floats = [x for x in dense if x.is_floating_point()]
        if any(
            float(x.detach().abs().nan_to_num(0, 0, 0).amax()) > 1e6 for x in floats if x.numel()
        ):
            return  # no digit of an edit is left beside such a cost
        before = backend()
        set_backend("pytorch")
        try:
            other = call(arguments)
        except InputError as error:
            raise AssertionError(f"PyTorch refuses: {error}") from error
        finally:
            set_backend(before)
        torch.testing.assert_close(
            result.total, other.total, equal_nan=True, rtol=1e-4, atol=1e-4, check_dtype=True
        )

    name = f"StructuralLoss({options})"
    return Subject(name, _arguments, call, check)


SUBJECTS = [
    _subject(),
    _subject(temperature=0.0),
    _subject(criterion="edit", slack=0.5, neighbours=0.3),
    _subject(tolerance=1e-5, position=0.0),
    _subject(directed=False),
    _subject(matches=Window()),
    _subject(matches=Tiled()),
]


@pytest.mark.untyped
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda one: one.name)
def test_the_right_value_or_a_refusal(subject: Subject) -> None:
    found = [tried(subject, seed) for seed in range(DRAWS)]
    assert set(found) == {"refused", "right"}
