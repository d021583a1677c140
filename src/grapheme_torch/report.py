"""The edits between two graphs."""

from .edits import EdgeEdit as EdgeEdit
from .edits import EditReport as EditReport
from .edits import NodeEdit as NodeEdit
from .edits import edit_report as edit_report
from .edits import edit_reports as edit_reports
