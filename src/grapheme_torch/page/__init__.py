"""Pages and pictures for a browser: one file each, which needs nothing else."""

from ._scene_svg import scene_svg as scene_svg
