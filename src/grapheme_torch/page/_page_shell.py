"""The shell of a page: one file that loads nothing and runs no script but its own."""

import base64
import hashlib

from ._markup import escaped
from ._style_sheets import package_file, scene_style


def document(title: str, body: str) -> str:
    """A page of HTML.

    Its policy allows its own script, by its hash, and nothing from elsewhere. So not even a label
    that was written to do harm could.

    Args:
        title: Plain text.
        body: HTML, all of whose texts are escaped.
    """
    script = package_file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(title)}</title>
<style>
{package_file("parts.css")}{package_file("page.css")}{scene_style()}</style>
</head>
<body>
{body}
<div class="tip" role="status"></div>
<script>{script}</script>
</body>
</html>
"""
