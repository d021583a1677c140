"""YAML and JSON that are bombs, or whose values are of another kind than is asked for."""

import json
from typing import Any

_LAUGH = "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

BOMBS: dict[str, str] = {
    "laughing": 'a: &a ["lol"]\n' + _LAUGH,
    "laughing at an option": 'x: &a ["lol"]\n' + _LAUGH + "alpha: *i\n",
    "an anchor in itself": "alpha: &a [*a]\n",
    "merged": "a: &a {x: 1}\n" + "b: {<<: *a}\n" * 100,
    "deep brackets": "alpha: " + "[" * 10_000 + "]" * 10_000,
    "deep open brackets": "alpha: " + "[" * 100_000,
    "deep braces": "alpha: " + "{a: " * 10_000 + "1" + "}" * 10_000,
    "deep dashes": "alpha: \n" + "- " * 5_000 + "1",
    "deep keys": "\n".join(" " * k + "a:" for k in range(500)),
    "10^30": "alpha: 1" + "0" * 30,
    "10^5000": "alpha: 1" + "0" * 5_000,
    "10^100000": "alpha: 1" + "0" * 100_000,
    "a null": 'alpha: "a\\0b"',
    "a raw null": "alpha: a\0b",
    "a call": "alpha: !!python/object/apply:os.system ['true']",
    "a name": "alpha: !!python/name:os.system",
    "a new object": "!!python/object/new:os.system [true]",
    "an unknown tag": "alpha: !mine 3",
    "31 February": "alpha: 2001-02-31",
    "sixty": "alpha: 1:99:99",
    "binary": "alpha: !!binary '%%%'",
    "a set": "alpha: !!set {a, b}",
    "a list as key": "? [1, 2]\n: 3",
    "two documents": "alpha: 1\n---\nalpha: 2",
    "large": "alpha: 1\n" + "# " + "x" * 2**22,
    "many keys": "\n".join(f"k{n}: 1" for n in range(100_000)),
    "a long word": "alpha: " + "x" * 2**20,
    "tab": "alpha:\t\t[\t",
    "a percent": "%YAML 9.9\n---\nalpha: 1",
}
"""Documents by name, of the options of a run."""

LOSS: dict[str, str] = {
    f"{group} {name} {value}": f"{group}: {{{name}: {value}}}"
    for group, names in {
        "alignment": ("max_iterations", "rounds", "tolerance", "temperature", "gradient"),
        "hints": ("noise", "restarts"),
        "prices": ("node_insertion",),
    }.items()
    for name in names
    for value in (".inf", ".nan", "x", "[null]", "1.5", "-1", "1000000000", f"1{'0' * 30}", "null")
} | {f"{name} {value}": f"{name}: {value}" for name in ("alpha", "criterion", "loss_modules")
     for value in (".inf", ".nan", "x", "[null]", "{a: 1}", f"1{'0' * 400}", "[[]]")}  # fmt: skip
"""Options of the loss, of a wrong kind or too large, by name."""

VALUES: tuple[Any, ...] = (
    -1, 0, 1.5, 10**4, 10**9, 10**17, 10**30, True, None, "x", [], {}, [None], [[1]],
    float("nan"), float("inf"),
)  # fmt: skip
"""Values for each field of config.json."""

DEEP_JSON = '{"format": "grapheme-torch", "version": 2, "network": ' + "[" * 100_000
LONG_JSON = json.dumps({"format": "grapheme-torch", "version": 2, "network": {}})[:-2] + '"dim": 1'
LONG_JSON += "0" * 10_000 + "}}"
