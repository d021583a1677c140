"""Values of options, read within bounds: a word of the command line may be a bomb, too."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml
from jsonargparse import Namespace, get_loader, set_loader

from .._check import Received, refusal, require
from .._yaml import Beyond, check_yaml

MODE = "bounded_yaml"
"""The parser mode of all our parsers; jsonargparse's own stay as they are."""


def _load(text: str) -> Any:
    check_yaml(text)
    try:
        return get_loader("yaml")(text)
    except (ValueError, OverflowError, RecursionError) as error:  # 5000 digits, 31 February
        raise yaml.YAMLError(str(error)) from None


set_loader(MODE, _load, exceptions=(yaml.YAMLError,))


def check_words(words: Sequence[str]) -> None:
    """Refuses values of options that jsonargparse should not see: it may end in a crash.

    Raises:
        InputError: If one is nested deeper than YAML may be here, or holds a null character.
    """
    before = ""
    for word in words[: words.index("--") if "--" in words else None]:
        option, given, value = word.partition("=") if word.startswith("--") else (before, "=", word)
        before = option if not given else ""
        if not option or not given:
            continue
        name, remedy = f"`{option.replace('_', '-')}`", "A text goes after `--`."
        require("\0" not in value, name, "hold no null character", value, remedy)
        try:
            check_yaml(value)
        except Beyond as error:
            raise refusal(name, "be a plain value", Received(str(error.problem)), remedy) from None
        except yaml.YAMLError:
            continue  # to be refused as what it should be


def check_values(options: Namespace) -> None:
    """Refuses what no option takes: a whole number beyond 64 bits, a path with a null character.

    Raises:
        InputError: Naming the option.
    """
    for name, value in _leaves(options.as_dict()):
        option = f"`--{name.replace('_', '-')}`"
        if isinstance(value, int):
            fits = abs(value) < 2**63
            got = value if value.bit_length() < 10_000 else Received("one of thousands of digits")
            require(fits, option, "be below 2^63", got, "Write a smaller number.")
        elif isinstance(value, str):
            remedy = "Remove it: no path or name holds one."
            require("\0" not in value, option, "hold no null character", value, remedy)


def _leaves(options: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        elif isinstance(value, list):
            yield from ((name, each) for each in value)
        else:
            yield name, value
