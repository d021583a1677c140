"""The options that are compared, all else as the data tell."""

from dataclasses import dataclass

ROUNDS = 10
"""Proximal rounds, of which data without places get 10 or 20."""

CLIQUE = 2.0
"""Weight of the clique term where it counts; `StructuralLoss` has the same by default."""


@dataclass(frozen=True)
class Variant:
    """One cell of the table.

    Args:
        alignment: "exact", whose derivative goes through the plan, "detach", whose does not, or
            "learned", where a `GraphMatcher` scores pairs of nodes.
        gamma: Weight of the clique term.
        rounds: Edge-aware rounds of the alignment.
    """

    alignment: str
    gamma: float
    rounds: int

    def words(self) -> list[str]:
        """Options of `grapheme train`. With rounds, learned scores are where these begin."""
        words = [f"--gamma={self.gamma:g}", f"--alignment.rounds={self.rounds}"]
        if self.rounds:
            words.append("--alignment.update=proximal")
        if self.alignment == "learned":
            return [*words, f"--matcher.use={'start' if self.rounds else 'plan'}"]
        return [*words, f"--alignment.gradient={self.alignment}"]


VARIANTS = [
    Variant(alignment, gamma, rounds)
    for alignment in ("detach", "exact", "learned")
    for gamma in (0.0, CLIQUE)
    for rounds in (0, ROUNDS)
]
"""All of them, the cheapest first."""
