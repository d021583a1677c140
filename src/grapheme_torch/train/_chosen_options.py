"""What a run would be made of, without training it."""

from dataclasses import asdict, dataclass
from inspect import signature
from typing import Any

from ._run import train
from ._run_plan import make_plan
from ._train_arguments import check_arguments, processes_of
from .choice import Choices, Facts, commented


@dataclass(frozen=True)
class ChosenOptions:
    """The options of a run; `str(chosen)` is a file for `grapheme train --config`.

    Args:
        options: All of them, nested as in train.yaml.
        choices: Those that nobody set, by full name: value and reason.
        facts: What the data are like.
    """

    options: dict[str, Any]
    choices: Choices
    facts: Facts

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        choices = {name: asdict(choice) for name, choice in self.choices.items()}
        return {"options": self.options, "chosen": choices, "facts": asdict(self.facts)}

    def __str__(self) -> str:
        head = "".join(f"# {name}: {_shown(x)}\n" for name, x in asdict(self.facts).items())
        return f"# The data:\n{head}{commented(self.options, self.choices)}"


def chosen_options(out: str = "OUT", **arguments: Any) -> ChosenOptions:
    """What `train` would be given, the data being as they are; nothing is written.

    Args:
        out: Folder of the run.
        arguments: Other arguments of `train`.

    Raises:
        InputError: As `train`, of arguments and data.
    """
    given = signature(train).bind(out, **arguments)
    given.apply_defaults()
    asked, _ = check_arguments(given.arguments)
    plan = make_plan(asked)
    options = plan.options(processes_of(given.arguments))
    return ChosenOptions(options, plan.choices, plan.facts)


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
