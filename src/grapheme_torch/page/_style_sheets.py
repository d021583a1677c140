"""Style sheets of pages, pictures and notebooks, which share their parts."""

from functools import cache
from importlib.resources import files

from ..layout import KIND_STYLES

_LIGHT = '[data-jp-theme-light="true"], .vscode-light, [data-theme="light"]'
_DARK = '[data-jp-theme-light="false"], .vscode-dark, [data-theme="dark"]'
"""How Jupyter, VS Code and the theme of our site say what they are; others go by the browser."""


@cache
def package_file(name: str) -> str:
    """The text of a file of this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def scene_style() -> str:
    """The style sheet of scenes: for light and dark, with the colours of the kinds."""
    dark = package_file("scene_dark.css")
    return f"{_scene_colours()}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


@cache
def notebook_style() -> str:
    """The style sheet of what a notebook shows; it goes by the theme of the notebook."""
    light = package_file("parts.css") + _scene_colours() + package_file("notebook.css")
    dark = package_file("notebook_dark.css") + package_file("scene_dark.css")
    unless = f".grapheme:not(:is({_LIGHT}) *)"
    return (
        f".grapheme {{\n{light}}}\n"
        f"@media (prefers-color-scheme: dark) {{ {unless} {{\n{dark}}} }}\n"
        f":is({_DARK}) .grapheme {{\n{dark}}}\n"
    )


def _scene_colours() -> str:
    """Scenes in light colours, and those of the kinds, which are the same in the dark."""
    colours = (
        # Not as variables, which programs other than browsers do not know.
        f".scene .{kind} .body, .scene .{kind} .badge, .scene .{kind} .line, .scene .link.{kind} "
        f"{{ stroke: {style.colour}; }} .scene .head.{kind} path {{ fill: {style.colour}; }}\n"
        for kind, style in KIND_STYLES.items()
    )
    return package_file("scene.css") + "".join(colours)
