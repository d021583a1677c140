"""A scene within a page: its legend and the picture, which scrolls where it is too wide."""

from collections.abc import Iterator

from ..layout import KIND_STYLES, Scene
from ._markup import escaped
from ._scene_svg import Form, scene_svg


def picture(scene: Scene, name: str, *, prefix: str = "", form: Form = "page") -> Iterator[str]:
    """The picture as HTML.

    Args:
        scene: What is drawn.
        name: What it shows, for those who do not see it.
        prefix: Put before identifiers, where a page has several pictures.
        form: Whether it stands in a page or in a notebook.
    """
    yield from _legend(scene)
    label = escaped(f"{name}, may scroll sideways")
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{label}">'
    yield scene_svg(scene, name, form=form, prefix=prefix)
    yield "</div>"


def _legend(scene: Scene) -> Iterator[str]:
    """The kinds that there are, each with its line and its mark."""
    heated = any(note.heat for notes in (*scene.nodes, *scene.edges) for note in notes)
    if not scene.kinds() and not heated:
        return
    yield '<ul class="legend">'
    for kind in scene.kinds():
        style = KIND_STYLES[kind]
        dash = f' stroke-dasharray="{" ".join(map(str, style.dash))}"' if style.dash else ""
        yield (
            '<li><svg width="30" height="12" aria-hidden="true"><line x1="1" y1="6" x2="29"'
            f' y2="6" stroke="{style.colour}" stroke-width="3"{dash}/></svg>'
            f"{style.mark} {style.name}</li>"
        )
    if heated:
        box = '<rect x="1" y="1" width="28" height="10" rx="5" fill="#0072b2" fill-opacity=".55"/>'
        yield f'<li><svg width="30" height="12" aria-hidden="true">{box}</svg>'
        yield "the deeper, the more it adds to the loss</li>"
    yield "</ul>"
