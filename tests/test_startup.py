"""The collector is off within, and afterwards as it was."""

import gc
import importlib
import subprocess
import sys

import pytest

from grapheme_torch._startup import without_collector


def _import_in_vain() -> None:
    with without_collector():
        assert not gc.isenabled()
        importlib.import_module("no_such_module")


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_left_as_it_was(was_on: bool) -> None:
    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(ModuleNotFoundError):
            _import_in_vain()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()


def test_what_was_made_within_is_old_afterwards() -> None:
    """So that the next collections do not look through it."""
    gc.unfreeze()
    with without_collector():
        made: list[object] = [[]]
    assert any(thing is made for thing in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_what_is_frozen_stays_so() -> None:
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        with without_collector():
            pass
        assert gc.get_freeze_count() > before / 2
    finally:
        gc.unfreeze()


HEAVY = ("grapheme_torch.page", "jsonargparse", "lightning", "matplotlib", "scipy", "torchmetrics")

LOSS = """
import torch
from torch_geometric.data import Data

nodes, edges = (torch.zeros(*shape, requires_grad=True) for shape in [(1, 3, 4), (1, 3, 3, 2)])
target = Data(y=torch.tensor([0, 1]), edge_index=torch.tensor([[0], [1]]), num_nodes=2)
loss = grapheme_torch.StructuralLoss()
result = loss(grapheme_torch.Prediction.from_dense(nodes, edges), target)
result.total.backward()
result.plan[0]
"""


@pytest.mark.repeats
@pytest.mark.parametrize("use", ["grapheme_torch.StructuralLoss", LOSS], ids=["import", "loss"])
def test_heavy_packages_are_loaded_where_they_are_used(use: str) -> None:
    program = f"import sys, grapheme_torch\n{use}\n"
    program += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
