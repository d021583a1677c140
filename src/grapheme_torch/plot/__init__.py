"""Pictures, written to a file without any state shared between them."""

from ._alignment import plot_alignment as plot_alignment
from ._losses import plot_losses as plot_losses
from ._scene_picture import draw_scene as draw_scene
