/* What scrolls by itself can be reached by keyboard; what fits is passed over. */
function makeReachable() {
  const parts = "article pre, article table.docutils, article .math-wrapper, article div.math";
  for (const part of document.querySelectorAll(parts)) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
addEventListener("load", makeReachable);
addEventListener("resize", makeReachable);
