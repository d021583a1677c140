"""How the weights are moved, and how that changes along a run."""

import math
from dataclasses import dataclass
from typing import Literal

from .._check import require

ANNEALED = 0.5
"""Share of the run in which temperature and hint of positions change."""


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """What a run does beside plain Adam at one learning rate; the default is nothing.

    Args:
        schedule: The learning rate after the warm-up. "constant", or falling to zero at the end
            of the run: "linear", or along a "cosine" [loshchilov17].
        warmup: Share of the run in which the learning rate rises linearly from zero.
        weight_decay: Of AdamW [loshchilov19], for matrices, not for biases and norms; 0 is Adam.
        clip: Largest L2 norm of the gradient; a longer one is scaled down to it. Default: no limit.
        ema_decay: Decay of an exponential moving average of the weights, such as 0.999. The average
            is then what is validated and saved [polyak92]. Default: no averaging.
        temperature_start: Temperature of the alignment at the first step; it falls geometrically
            to the temperature of the loss over the first half of the run. Default: no change.
        position_start: The hint of positions at the first step, as `temperature_start`. A small
            initial weight lets nodes move freely; a large final weight keeps identical labels in
            order.
        bound: What the loss of a pair counts at most in a step, see `geman_mcclure`. Where an input
            has several likely targets, the likeliest is then learnt, not a graph between them. The
            loss that is reported has no bound. Default: steps have none either.
        label_smoothing: Share of what the class of a node costs in a step that is the mean over all
            classes [szegedy16]. It keeps networks of few pairs from being too sure. The loss that
            is reported has none.

    Raises:
        InputError: If an argument is out of range.
    """

    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: float = 0.0
    weight_decay: float = 0.0
    clip: float | None = None
    ema_decay: float | None = None
    temperature_start: float | None = None
    position_start: float | None = None
    bound: float | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        known = ("constant", "linear", "cosine")
        remedy = 'Use "cosine" to end at zero.'
        require(
            self.schedule in known,
            "`schedule`",
            "be constant, linear or cosine",
            self.schedule,
            remedy,
        )
        require(0 <= self.warmup < 1, "`warmup`", "lie in [0, 1)", self.warmup, "Try 0.05.")
        decay = self.weight_decay
        require(0 <= decay < math.inf, "`weight_decay`", "not be negative", decay, "Try 0.01.")
        for name in ("clip", "temperature_start", "position_start", "bound"):
            value = getattr(self, name)
            fits = value is None or 0 < value < math.inf
            require(fits, f"`{name}`", "be positive and finite", value, "Leave it out, or try 1.")
        fits = 0 <= self.label_smoothing < 1
        require(fits, "`label_smoothing`", "lie in [0, 1)", self.label_smoothing, "Try 0.1.")
        fits = self.ema_decay is None or 0 <= self.ema_decay < 1
        remedy = "Leave it out, or try 0.999."
        require(fits, "`ema_decay`", "lie in [0, 1)", self.ema_decay, remedy)

    @property
    def is_constant(self) -> bool:
        """Whether the learning rate stays what it is."""
        return self.schedule == "constant" and not self.warmup

    @property
    def anneals(self) -> bool:
        """Whether the alignment changes along the run."""
        return self.temperature_start is not None or self.position_start is not None

    def rate(self, share: float) -> float:
        """The learning rate, as a part of its full value, after a share of the run."""
        if share < self.warmup:
            return share / self.warmup
        if self.schedule == "constant":
            return 1.0
        left = (1 - share) / (1 - self.warmup)
        return left if self.schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))

    def temperature(self, share: float, final: float) -> float:
        """The temperature of the alignment after a share of the run that ends at `final`."""
        return _annealed(self.temperature_start, final, share)

    def position(self, share: float, final: float) -> float:
        """The hint of positions after a share of the run that ends at `final`."""
        return _annealed(self.position_start, final, share)


def _annealed(start: float | None, final: float, share: float) -> float:
    """From `start`, if there is one, geometrically to `final`."""
    if start is None or share >= ANNEALED:
        return final
    return final * (start / final) ** (1 - share / ANNEALED)
