"""The Coloring task: a picture of coloured regions, and the graph of which region touches which.

Regions are the cells of random pixels by taxicab distance, each with a head start below one pixel.
A step towards its centre keeps a pixel in its cell, so that every cell is one piece: the graph of
a picture is a minor of the pixel grid, hence planar. Neighbours never share a colour.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch_geometric.data import Data

SIDE = 16
"""Pixels along each side of a picture."""

LEAST, MOST = 5, 10
"""Regions of a picture, uniform in between."""

SMALLEST = 4
"""Pixels a region has at least; pictures with a smaller one are drawn again."""

NOISE = 0.02
"""Standard deviation of what is added to every pixel."""

PALETTE = np.array([[0.00, 0.45, 0.70], [0.90, 0.62, 0.00], [0.00, 0.62, 0.45], [0.84, 0.37, 0.00]])

NAMES = ("blue", "orange", "green", "red")


@dataclass(frozen=True)
class Kind:
    """Which pictures are drawn: pixels along a side, least and most regions, and the noise."""

    side: int = SIDE
    least: int = LEAST
    most: int = MOST
    noise: float = NOISE


USUAL = Kind()


@dataclass(frozen=True)
class Pictures:
    """A batch of pictures with their graphs, padded to the most regions there can be.

    Args:
        image: Colours in [0, 1] and noise; axes: picture, colour channel, row, column.
        region: The region of each pixel.
        size: Number of regions of each picture.
        colour: The colour of each region; 0 in the padding.
        adjacency: Which regions touch along a side of a pixel; symmetric.
    """

    image: Float[Tensor, "B 3 side side"]
    region: Int[Tensor, "B side side"]
    size: Int[Tensor, " B"]
    colour: Int[Tensor, "B regions"]
    adjacency: Bool[Tensor, "B regions regions"]

    def target(self) -> Data:
        """The graphs as a ragged batch, each edge in one direction."""
        mask = self._mask()
        number = (mask.flatten().cumsum(0) - 1).view_as(mask)
        graph, first, second = self.adjacency.triu().nonzero(as_tuple=True)
        return Data(
            y=self.colour[mask],
            edge_index=torch.stack([number[graph, first], number[graph, second]]),
            batch=mask.nonzero()[:, 0],
            num_nodes=int(mask.sum()),
        )

    def padded(self, slots: int) -> tuple[Tensor, Tensor, Tensor]:
        """Existence `[B, slots]`, colours, and adjacency of the graphs, zero in the padding."""
        wide = slots - self.colour.shape[1]
        pad = torch.nn.functional.pad
        return (
            pad(self._mask().float(), (0, wide)),
            pad(self.colour, (0, wide)),
            pad(self.adjacency.float(), (0, wide, 0, wide)),
        )

    def diffused(self) -> Float[Tensor, "B regions colours"]:
        """How many neighbours of each colour a region has."""
        colours = torch.nn.functional.one_hot(self.colour, len(PALETTE)).float()
        return self.adjacency.float() @ colours

    def _mask(self) -> Tensor:
        return torch.arange(self.colour.shape[1]) < self.size[:, None]


def draw(seed: tuple[int, ...], count: int, kind: Kind = USUAL) -> Pictures:
    """`count` pictures, always the same ones for a seed."""
    rng = np.random.default_rng(seed)
    side, most = kind.side, kind.most
    size = rng.integers(kind.least, most, count, endpoint=True)
    region = np.empty((count, side, side), dtype=np.int64)
    adjacency = np.empty((count, most, most), dtype=bool)
    colour = np.empty((count, most), dtype=np.int64)
    left = np.arange(count)
    while len(left):
        region[left] = _cells(rng, size[left], kind)
        adjacency[left] = _touching(region[left], most)
        colour[left], coloured = _coloured(rng, adjacency[left], size[left])
        pixels = (region[left].reshape(len(left), -1, 1) == np.arange(most)).sum(1)
        large = ((pixels >= SMALLEST) | (np.arange(most) >= size[left, None])).all(1)
        left = left[~(coloured & large)]
    painted = PALETTE[np.take_along_axis(colour, region.reshape(count, -1), 1)]
    image = painted.reshape(count, side, side, 3) + rng.normal(
        0, kind.noise, (count, side, side, 3)
    )
    return Pictures(
        torch.as_tensor(image).permute(0, 3, 1, 2).float().contiguous(),
        torch.as_tensor(region),
        torch.as_tensor(size),
        torch.as_tensor(colour),
        torch.as_tensor(adjacency),
    )


def _cells(rng: np.random.Generator, size: np.ndarray, kind: Kind) -> np.ndarray:
    """The number of the centre that each pixel is closest to."""
    side, most = kind.side, kind.most
    # The first entries of a random permutation of all pixels: no two centres coincide.
    centre = rng.random((len(size), side * side)).argpartition(most, axis=1)[:, :most]
    head_start = rng.random((len(size), most))
    line = np.arange(side)
    down = np.abs(line[:, None] - (centre // side)[:, None, :])
    across = np.abs(line[:, None] - (centre % side)[:, None, :])
    far = down[:, :, None, :] + across[:, None, :, :] + head_start[:, None, None, :]
    far = np.where(np.arange(most) < size[:, None, None, None], far, np.inf)
    return far.argmin(3)


def _touching(region: np.ndarray, most: int) -> np.ndarray:
    """Which regions meet at a side of a pixel."""
    touch = np.zeros((len(region), most, most), dtype=bool)
    picture = np.arange(len(region))[:, None, None]
    touch[picture, region[:, 1:], region[:, :-1]] = True
    touch[picture, region[:, :, 1:], region[:, :, :-1]] = True
    touch |= touch.swapaxes(1, 2)
    touch[:, np.arange(most), np.arange(most)] = False
    return touch


def _coloured(
    rng: np.random.Generator, touch: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A random colour that no earlier neighbour has, region by region; and whether it worked."""
    most = touch.shape[1]
    colour = np.zeros((len(touch), most), dtype=np.int64)
    worked = np.ones(len(touch), dtype=bool)
    for k in range(most):
        taken = np.zeros((len(touch), len(PALETTE)), dtype=bool)
        picture, neighbour = touch[:, k, :k].nonzero()
        taken[picture, colour[picture, neighbour]] = True
        here = k < size
        colour[:, k] = np.where(here, np.where(taken, -1, rng.random(taken.shape)).argmax(1), 0)
        worked &= ~(taken.all(1) & here)
    return colour, worked
