"""Pictures, written to a file without any state shared between them."""

from .. import _extras as _extras

with _extras.needed("grapheme_torch.plot", "plot"):
    from ._alignment import plot_alignment as plot_alignment
    from ._losses import plot_losses as plot_losses
    from ._scene_picture import draw_scene as draw_scene
