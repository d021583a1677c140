"""Pages and pictures for a browser: one file each, which needs nothing else."""

from ._explanation import Explanation as Explanation
from ._explanation import LossParts as LossParts
from ._explanation import Origin as Origin
from ._explanation import OutputEdge as OutputEdge
from ._explanation import OutputNode as OutputNode
from ._notebook_html import notebook_html as notebook_html
from ._run_page import run_page as run_page
from ._run_record import Answers as Answers
from ._run_record import RunRecord as RunRecord
from ._scene_svg import scene_svg as scene_svg
