"""The site in a real browser, where `make site` has built it: `make browser`."""

from pathlib import Path
from typing import Any

import pytest

from .browser import CHROMIUM

SITE = Path(__file__).parents[2] / "build" / "site"
PAGES = ["index", "tutorial", "howto/models", "evaluation", "results", "api/index", "gallery/index"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.repeats,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="needs `make site`"),
]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_fault(chromium: Any, name: str, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    size = {"width": width, "height": 900}
    context = chromium.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto((SITE / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = axe.Axe().run(page).response["violations"]
    context.close()
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []
