"""The command line's own refusals: options and option files, told as every other refusal is."""

import re
from argparse import ArgumentError, RawDescriptionHelpFormatter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import yaml
from jsonargparse import ActionConfigFile, DefaultHelpFormatter

from .._check import InputError, Received, refusal, relocate, require
from .._safe_files import read_regular
from .._yaml import LARGEST, check_yaml

_KINDS = {
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
    "str": "text",
}


class Formatter(DefaultHelpFormatter, RawDescriptionHelpFormatter):
    """Help whose examples keep their lines, and whose options have dashes, as in the documents."""

    def _format_action_invocation(self, action: Any) -> str:
        return _dashed(super()._format_action_invocation(action))

    def _get_default_metavar_for_optional(self, action: Any) -> str:
        """Short for numbers, so that the option and what it does stand on one line."""
        kind: Any = getattr(action, "_typehint", None)
        numbers = {int: "N", float: "X", int | None: "N", float | None: "X"}
        return numbers.get(kind) or super()._get_default_metavar_for_optional(action)

    def _expand_help(self, action: Any) -> str:
        """The default tells the type, where there is one."""
        text = re.sub(r"\(type: .*?, default: (?!null)", "(default: ", super()._expand_help(action))
        text = text.replace("type: Union[str, Path, null]", "type: str")
        text = re.sub(r"\(type: (str|int|float)(?: \| null)?, default: null\)", "(optional)", text)
        if getattr(action, "is_chosen", False):
            text = re.sub(r"\((type: [^()]*|optional|default: [^()]*)\)$", "(by the data)", text)
        return text.replace("(required, type: str | Path)", "(required)")

    def _format_usage(self, *args: Any, **kwargs: Any) -> str:
        return _dashed(super()._format_usage(*args, **kwargs))


def _dashed(text: str) -> str:
    return re.sub(r"(?<!\S|-)(\[?)--([\w.]+)", lambda m: m[1] + "--" + m[2].replace("_", "-"), text)


def options_of(parser: Any) -> set[str]:
    """Every option of a parser and of the commands below it, such as "--epochs"."""
    names: set[str] = set()
    for action in parser._actions:
        names.update(name for name in action.option_strings if name.startswith("--"))
        below = action.choices if isinstance(action.choices, dict) else {}
        names.update(*(options_of(one) for one in below.values()))
    return names


def nearest(word: str, known: Iterable[str]) -> str:
    """The question whether the known word was meant that is most like it; "" if none is."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"Did you mean `{found[0]}`? " if found else ""


def in_our_words(message: str, command: str, options: Iterable[str] = ()) -> InputError:
    """The refusal of one command, from what jsonargparse says; `options` are those it has.

    What is not recognised is passed on as it is, on one line.
    """
    text = " ".join(message.split())
    remedy = f"`grapheme {command} --help` shows what it takes."
    if found := re.fullmatch(r"the following arguments are required: (.*)", text):
        names = re.sub(r"(?:\w[\w-]*\.)+(?=\w)", "", found[1])  # without the command
        return refusal(f"`{names}`", "be given", Received("nothing"), remedy)
    if found := re.fullmatch(r"unrecognized arguments: (.*)", text):
        near = nearest(found[1].split()[0].split("=")[0], options).replace("_", "-")
        remedy = f"{near}{remedy} A text that begins with a dash goes after `--`."
        requirement = f"be ones that `grapheme {command}` takes"
        return refusal("the arguments", requirement, Received(found[1]), remedy)
    if found := re.fullmatch(r'expected "[\w-]+\.format" to be one of .*', text):
        return refusal("`FORMAT`", "be given", Received("nothing"), remedy)
    if found := re.fullmatch(r"argument (\w+): invalid choice: (.*) \(choose from (.*)\)", text):
        choices = found[3].replace("'", "")
        return refusal(f"`{found[1]}`", f"be one of {choices}", Received(found[2]), remedy)
    if found := re.fullmatch(
        r'Parser key "([\w.]+)": (.*?)(?:Given value type.*)?(?:Got|Given) value: (.*)', text
    ):
        return refusal(f"`--{found[1]}`", f"be {_kind(found[2])}", found[3], remedy)
    return InputError(f"{text}. {remedy}")


def _kind(types: str) -> str:
    """What an option takes, in words, from the types that jsonargparse lists."""
    choices = [choice.replace("'", "") for choice in re.findall(r"Literal\[(.*?)\]", types)]
    names = dict.fromkeys(re.findall(r"<class '(\w+)'>", types))
    kinds = [f"one of {choice}" for choice in dict.fromkeys(choices)]
    kinds += [_KINDS[name] for name in names if name in _KINDS]
    return " or ".join(kinds) or "arguments by name"  # the one kind that has no class


class OptionsFile(ActionConfigFile):
    """`--config FILE`: a YAML file of options by name; messages about it name file and line."""

    def __call__(
        self, parser: Any, cfg: Any, values: Any, option_string: str | None = None
    ) -> None:
        """Adds the options of the file to those of the command line."""
        command = parser.prog.split()[-1]
        defaults = {k: v for k, v in parser.get_defaults().items() if k != self.dest}
        content, lines = _checked(values, defaults, command)
        if not lines:
            return
        try:
            self.apply_config(parser, cfg, self.dest, content)
        except InputError:
            raise
        except (ArgumentError, TypeError, ValueError) as error:
            text = str(error).removeprefix(f'Parser key "{self.dest}": ')
            named = re.search(r'Parser key "([\w.]+)"', text)
            line = lines.get(named[1]) if named else None
            place = values if line is None else f"{values}:{line}"
            relocate(in_our_words(text, command), place)


def _checked(path: str, defaults: dict[str, Any], command: str) -> tuple[str, dict[str, int]]:
    """The content of an options file, its names with underscores, and the line of each.

    Refuses an option that the command does not have, that stands twice or has no value. An empty
    file, or one of comments only, has no options.
    """
    content, root = _parsed(path)
    if root is None:
        return content, {}
    named = isinstance(root, yaml.MappingNode)
    named = named and all(isinstance(key, yaml.ScalarNode) for key, _ in root.value)
    remedy = "Write lines such as `epochs: 100`, as in the train.yaml of a run."
    require(named, path, "hold options by name", Received("something else"), remedy)
    entries = list(_entries(root, defaults))
    lines: dict[str, int] = {}
    for name, key, value in entries:
        line = key.start_mark.line + 1
        place = f"{path}:{line}: the option"
        help_ = nearest(name, defaults) + f"`grapheme {command} --help` lists them."
        require(name in defaults, place, f"be one of `{command}`", name, help_)
        require(name not in lines, place, "come once", name, "Keep one.")
        if value.tag == "tag:yaml.org,2002:null":
            _check_absence(f"{path}:{line}: `--{name}`", defaults[name])
        lines[name] = line
    # From the end, so that the marks before stay where they are.
    for key in sorted(_keys(root, defaults), key=lambda key: -key.start_mark.index):
        start, end = key.start_mark.index, key.end_mark.index
        content = content[:start] + content[start:end].replace("-", "_") + content[end:]
    return content, lines


def _entries(
    root: yaml.MappingNode, defaults: dict[str, Any], above: str = ""
) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """Each option of a file, its key and its value: those of a group with its name before."""
    for key, value in root.value:
        name = above + str(key.value).replace("-", "_")
        if isinstance(value, yaml.MappingNode) and _is_group(name, defaults):
            yield from _entries(value, defaults, f"{name}.")
        else:
            yield name, key, value


def _keys(
    root: yaml.MappingNode, defaults: dict[str, Any], above: str = ""
) -> Iterator[yaml.ScalarNode]:
    """The keys of a file and of the groups in it."""
    for key, value in root.value:
        yield key
        name = above + str(key.value).replace("-", "_")
        if isinstance(value, yaml.MappingNode) and _is_group(name, defaults):
            yield from _keys(value, defaults, f"{name}.")


def _is_group(name: str, defaults: dict[str, Any]) -> bool:
    return any(known.startswith(f"{name}.") for known in defaults)


def _check_absence(name: str, default: Any) -> None:
    """Refuses an option without a value, unless none is what it is by default."""
    kind = _KINDS.get(type(default).__name__, "a value")
    remedy = f"Write one, or leave the line out for {default}."
    require(default is None, name, f"be {kind}", Received("nothing"), remedy)


def _parsed(path: str) -> tuple[str, Any]:
    """The content of a YAML file, and its root; None if there is nothing in it."""
    try:
        content = read_regular(path, at_most=LARGEST).decode("utf-8-sig")
        check_yaml(content)
        return content, yaml.compose(content, Loader=yaml.SafeLoader)
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a null in the path
        cause = Received(getattr(error, "strerror", None) or str(error))
        raise refusal(path, "be a readable YAML file", cause, "Check its path.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = path if mark is None else f"{path}:{mark.line + 1}"
        cause = Received(getattr(error, "problem", None) or str(error))
        raise refusal(place, "be YAML", cause, "Write lines such as `epochs: 100`.") from None
