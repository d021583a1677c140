"""The command line's own refusals: options and option files, told as every other refusal is."""

import re
from argparse import ArgumentError
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ActionConfigFile

from ._check import InputError, Received, refusal, relocate, require

_KINDS = {
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
    "str": "text",
}


def in_our_words(message: str, command: str) -> InputError:
    """The refusal of one command, from what jsonargparse says.

    What is not recognised is passed on as it is, on one line.
    """
    text = " ".join(message.split())
    remedy = f"`grapheme {command} --help` shows what it takes."
    if found := re.fullmatch(r"the following arguments are required: (.*)", text):
        names = re.sub(r"(?:\w[\w-]*\.)+(?=\w)", "", found[1])  # without the command
        return refusal(f"`{names}`", "be given", Received("nothing"), remedy)
    if found := re.fullmatch(r"unrecognized arguments: (.*)", text):
        remedy += " A text that begins with a dash goes after `--`."
        requirement = f"be ones that `grapheme {command}` takes"
        return refusal("the arguments", requirement, Received(found[1]), remedy)
    if found := re.fullmatch(r'expected "[\w-]+\.format" to be one of .*', text):
        return refusal("`FORMAT`", "be given", Received("nothing"), remedy)
    if found := re.fullmatch(r"argument (\w+): invalid choice: (.*) \(choose from (.*)\)", text):
        choices = found[3].replace("'", "")
        return refusal(f"`{found[1]}`", f"be one of {choices}", Received(found[2]), remedy)
    if found := re.fullmatch(
        r'Parser key "(\w+)": (.*?)(?:Given value type.*)?(?:Got|Given) value: (.*)', text
    ):
        return refusal(f"`--{found[1]}`", f"be {_kind(found[2])}", found[3], remedy)
    return InputError(f"{text}. {remedy}")


def _kind(types: str) -> str:
    """What an option takes, in words, from the types that jsonargparse lists."""
    choices = [choice.replace("'", "") for choice in re.findall(r"Literal\[(.*?)\]", types)]
    names = dict.fromkeys(re.findall(r"<class '(\w+)'>", types))
    kinds = [f"one of {choice}" for choice in dict.fromkeys(choices)]
    return " or ".join(kinds + [_KINDS[name] for name in names if name in _KINDS])


class OptionsFile(ActionConfigFile):
    """`--config FILE`: a YAML file of options by name; messages about it name file and line."""

    def __call__(
        self, parser: Any, cfg: Any, values: Any, option_string: str | None = None
    ) -> None:
        """Adds the options of the file to those of the command line."""
        command = parser.prog.split()[-1]
        _check_names(values, set(parser.get_defaults().keys()) - {self.dest}, command)
        try:
            self.apply_config(parser, cfg, self.dest, values)
        except (ArgumentError, TypeError) as error:
            relocate(in_our_words(str(error), command), values)


def _check_names(path: str, known: set[str], command: str) -> None:
    """Refuses an option that the command does not have, or that stands twice."""
    root = _node(path)
    named = isinstance(root, yaml.MappingNode)
    remedy = "Write lines such as `epochs: 100`, as in the train.yaml of a run."
    require(named, path, "hold options by name", Received("something else"), remedy)
    seen: set[str] = set()
    for key, _ in root.value:
        place = f"{path}:{key.start_mark.line + 1}"
        help_ = f"`grapheme {command} --help` lists them."
        require(
            key.value in known, f"{place}: the option", f"be one of `{command}`", key.value, help_
        )
        require(key.value not in seen, f"{place}: the option", "come once", key.value, "Keep one.")
        seen.add(key.value)


def _node(path: str) -> Any:
    try:
        return yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        cause = Received(getattr(error, "strerror", None) or str(error))
        raise refusal(path, "be a readable YAML file", cause, "Check its path.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = path if mark is None else f"{path}:{mark.line + 1}"
        cause = Received(getattr(error, "problem", None) or str(error))
        raise refusal(place, "be YAML", cause, "Write lines such as `epochs: 100`.") from None
