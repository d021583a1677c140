"""Where the nodes and edges of graphs stand in a picture, whatever draws it."""

from ._graph_places import Places as Places
from ._graph_places import graph_places as graph_places
from ._graph_places import turned_alike as turned_alike
from ._kind_styles import BLUE as BLUE
from ._kind_styles import GREEN as GREEN
from ._kind_styles import GREY as GREY
from ._kind_styles import INK as INK
from ._kind_styles import KIND_STYLES as KIND_STYLES
from ._kind_styles import ORANGE as ORANGE
from ._kind_styles import PALE as PALE
from ._kind_styles import RED as RED
from ._kind_styles import KindStyle as KindStyle
from ._panel import Panel as Panel
from ._panel import PanelEdge as PanelEdge
from ._panel import PanelNode as PanelNode
from ._panel import panel as panel
from ._routes import Point as Point
from ._routes import Route as Route
from ._routes import point_at as point_at
from ._scene import Arrangement as Arrangement
from ._scene import Link as Link
from ._scene import Note as Note
from ._scene import Scene as Scene
from ._short_labels import shortened as shortened
