"""Copied labels: which class a label is, and the mixture of writing and copying."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from grapheme_torch import InputError
from grapheme_torch.graphs import hash_labels
from grapheme_torch.nn import OutputHeads
from grapheme_torch.nn._copy import UNCOPIED, OwnLabel

from ..problems import costs
from ..unchecked import unchecked
from .inputs import assert_differentiates

DIM, LABELS = 4, 3
OWN = torch.tensor([2, LABELS, 0, 0, LABELS])
"""Nodes with a known label and, by the number of labels, with an unknown one."""


@given(st.lists(st.text(max_size=3), unique=True, max_size=6), st.lists(st.text(max_size=3)))
def test_a_label_is_looked_up_as_in_a_dictionary(labels: list[str], more: list[str]) -> None:
    asked = [*more, *reversed(labels)]
    wanted = [labels.index(name) if name in labels else len(labels) for name in asked]
    found = OwnLabel(labels)(hash_labels(asked))
    assert found.dtype == torch.long
    assert found.tolist() == wanted


def test_canonically_equal_labels_are_not_the_same() -> None:
    assert OwnLabel(["\u00e9"])(hash_labels(["\u00e9", "e\u0301"])).tolist() == [0, 1]


def test_an_empty_alphabet_knows_nothing() -> None:
    assert OwnLabel([])(hash_labels(["a", ""])).tolist() == [0, 0]
    assert OwnLabel(["a"])(hash_labels([])).shape == (0,)


def test_labels_that_are_never_copied_have_no_class() -> None:
    found = OwnLabel(["b", "a"], ["c", ""])(hash_labels(["a", "c", "d", "", "b"]))
    assert found.tolist() == [1, UNCOPIED, 2, UNCOPIED, 0]
    assert OwnLabel([], ["c"])(hash_labels(["c", "d"])).tolist() == [UNCOPIED, 0]


def test_it_is_made_of_the_labels_and_not_saved() -> None:
    assert not OwnLabel(["a", "b"]).state_dict()


def _heads() -> OutputHeads:
    return OutputHeads(DIM, num_labels=LABELS, num_relations=1, copy=True).double()


def _label(part: OutputHeads, h: Tensor, own: Tensor = OWN) -> Tensor:
    return part(h, torch.zeros(2, 0, dtype=torch.long), None, own)[1]


def test_the_mixture_node_by_node() -> None:
    part, h = _heads(), costs(1, 5, DIM)
    assert part.copy is not None
    z = part.norm(h)
    assert part.copy is not None
    found = _label(part, h).exp()
    assert found.shape == (5, LABELS + 1)
    for i, own in enumerate(OWN.tolist()):
        copied = part.copy(z[i]).sigmoid()
        wanted = (1 - copied) * part.label(z[i]).softmax(0)
        wanted[own] = wanted[own] + copied[0]
        torch.testing.assert_close(found[i], wanted, rtol=0, atol=1e-12)
        assert found[i].sum().item() == pytest.approx(1, abs=1e-12)


def test_what_is_never_copied_is_written() -> None:
    part, h = _heads(), costs(1, 5, DIM)
    own = torch.tensor([2, UNCOPIED, UNCOPIED, 0, LABELS])
    found, usual, never = _label(part, h, own), _label(part, h, OWN), own == UNCOPIED
    written = part.label(part.norm(h))[:, :-1].log_softmax(1)
    torch.testing.assert_close(found[never, :-1], written[never], rtol=0, atol=1e-12)
    assert found[never, -1].max() < -35
    torch.testing.assert_close(found[0], usual[0], rtol=0, atol=0)
    assert part.copy is not None
    only = torch.nn.ModuleList([part.norm, part.label, part.copy])
    assert_differentiates(only, lambda h: _label(part, h, own), costs(1, 5, DIM))


def test_at_the_start_most_nodes_are_copied() -> None:
    part, own = OutputHeads(16, num_labels=LABELS, num_relations=1, copy=True), OWN.repeat(40)
    found = _label(part, torch.randn(200, 16), own).exp()
    assert (found.gather(1, own[:, None]) > 0.5).float().mean() > 0.9


@pytest.mark.parametrize("gate", [-1e5, -50.0, 0.0, 50.0, 1e5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gate_that_is_open_or_shut_has_finite_gradients(gate: float, dtype: torch.dtype) -> None:
    part, h = _heads().to(dtype), costs(1, 5, DIM).to(dtype).requires_grad_()
    assert part.copy is not None
    torch.nn.init.constant_(part.copy.bias, gate)
    found = _label(part, h)
    assert found.isfinite().all()
    found.sum().backward()
    slopes = [h.grad, *(p.grad for p in part.parameters() if p.grad is not None)]
    assert len(slopes) == 7  # h; weight and bias of norm, label and copy
    assert all(slope is not None and slope.isfinite().all() for slope in slopes)


@pytest.mark.parametrize("gate", [-10.0, 10.0])
def test_derivative_by_finite_differences_with_a_nearly_certain_gate(gate: float) -> None:
    part = _heads()
    assert part.copy is not None
    torch.nn.init.constant_(part.copy.bias, gate)
    only = torch.nn.ModuleList([part.norm, part.label, part.copy])
    assert_differentiates(only, lambda h: _label(part, h), costs(1, 5, DIM))


def test_copying_needs_to_know_what() -> None:
    message = (
        "`own` must be given where labels are copied, got None. "
        "Give the class of each node's own label, or make the heads without `copy`."
    )
    with pytest.raises(InputError, match="^" + re.escape(message) + "$"):
        unchecked(_heads().forward)(costs(1, 2, DIM), torch.zeros(2, 0, dtype=torch.long))
