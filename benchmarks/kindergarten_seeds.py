"""Does kindergarten training hold for every seed? Ten runs at the default settings, 0 to 9."""

import tempfile
from dataclasses import asdict
from pathlib import Path

from _record import record

from grapheme_torch.train import train


def main() -> None:
    """Trains ten times and records the ten summaries."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(10):
            summary = train(Path(folder) / str(seed), seed=seed)
            runs.append(asdict(summary))
            print(
                f"seed {seed}: {summary.initial_loss:.4g} -> {summary.final_loss:.4g}, "
                f"ratio {summary.loss_ratio:.5f}, monotone {summary.monotone}, "
                f"exact {summary.exact_match:.0%}, {summary.seconds:.1f} s",
                flush=True,
            )
    record("kindergarten_seeds", {"runs": runs})


if __name__ == "__main__":
    main()
