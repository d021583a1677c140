"""Long texts
=============

Two texts of 5,000 characters, compared along a window, and in full without storing a plan.
"""

import random

import torch
from torch_geometric.data import Data

import grapheme_torch as gt

random.seed(0)
letters = "abcdefgh "
text = "".join(random.choices(letters, k=5000))
edited = "".join(c if random.random() > 0.03 else random.choice(letters) for c in text)


def path(string: str) -> Data:
    """A text as a path of classes; `gt.Alphabet.encode` does this for any graph."""
    steps = torch.arange(len(string))
    return Data(
        y=torch.tensor([letters.index(c) for c in string]),
        edge_index=torch.stack([steps[:-1], steps[1:]]),
        position=steps.double(),
        num_nodes=len(string),
    )


target, said = path(text), path(edited)
label = 20 * torch.nn.functional.one_hot(said.y, len(letters)).double() - 10
prediction = gt.Prediction(
    existence=torch.full((len(edited),), 20.0, dtype=torch.float64),
    label=label.requires_grad_(),
    edge_index=said.edge_index,
    relation=torch.tensor([[-4.0, 4.0]], dtype=torch.float64).expand(len(edited) - 1, 2),
    position=said.position,
)
dense = gt.StructuralLoss(
    criterion="edit", alignment=gt.Sinkhorn(rounds=0, slack=0.1, temperature=0.05)
)
loss = dense.replace(matches=gt.Window(8))
result = loss(prediction, target)
result.total.backward()
changed = sum(a != b for a, b in zip(text, edited, strict=True))
print(f"{result.plan.support.shape[1]:,} possible matches of {len(text) * len(edited):,}")
print(f"node cost {result.node.item():.1f} for {changed} changed characters")
print(f"what was left out changes the loss by at most {result.truncation.loss.item():.1e}")
with torch.no_grad():
    exact = dense.replace(matches=gt.Tiled())(prediction, target)
left_out = abs(exact.total - result.total).item()
print(f"tiles leave nothing out and differ by {left_out:.1e}")
kept = (exact.plan.best_match() == torch.arange(len(edited))).float().mean()
print(f"{kept:.1%} of the characters go where they came from")
assert result.converged.all()
assert left_out <= result.truncation.loss.item() + 1e-9 * exact.total.item()
assert abs(result.node.item() - changed) < 0.2 * changed
