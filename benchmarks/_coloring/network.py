"""A small picture-to-graph network: convolutions, a transformer, one query for each slot.

It knows nothing of any loss, nor of this library.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .data import PALETTE, SIDE

SLOTS = 12
"""Nodes the network can say: two more than there ever are."""


class Outputs(NamedTuple):
    """What the network says, in logits; `diffused` in the sum of the neighbours' colours.

    The diagonal of `edge` means nothing.
    """

    existence: Float[Tensor, "B K"]
    label: Float[Tensor, "B K colours"]
    edge: Float[Tensor, "B K K"]
    diffused: Float[Tensor, "B K colours"]


class Network(nn.Module):
    """DETR in small: tokens of 2 x 2 pixels, encoder, decoder, a head for each output."""

    def __init__(self, width: int = 64, heads: int = 4, layers: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.GELU(),
            nn.Conv2d(32, width, 3, stride=2, padding=1), nn.GELU(),
            nn.Conv2d(width, width, 3, padding=1),
        )  # fmt: skip
        self.place = nn.Parameter(torch.randn((SIDE // 2) ** 2, width) * 0.5)
        self.query = nn.Parameter(torch.randn(SLOTS, width))
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 2 * width, dropout=0, batch_first=True, norm_first=True
            )
            for _ in range(2)
        )
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, heads, 2 * width, dropout=0, batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        colours = len(PALETTE)
        self.node = _mlp(width, 1 + 2 * colours)
        self.end = nn.Linear(width, 2 * width)
        self.edge = nn.Sequential(nn.GELU(), _mlp(2 * width, 1))

    def forward(self, image: Float[Tensor, "B 3 side side"]) -> Outputs:
        tokens = self.stem(image).flatten(2).mT + self.place
        for layer in self.encoder:
            tokens = layer(tokens)
        slot = self.query.expand(len(image), -1, -1)
        for layer in self.decoder:
            slot = layer(slot, tokens)
        slot = self.norm(slot)
        colours = len(PALETTE)
        existence, label, diffused = self.node(slot).split([1, colours, colours], dim=2)
        end = self.end(slot)
        edge = self.edge(end[:, :, None] + end[:, None, :])
        return Outputs(existence[..., 0], label, edge[..., 0], diffused)


def _mlp(width: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 64), nn.GELU(), nn.Linear(64, outputs))
