"""What a notebook shows of a result; the drawing is done by `page`, far above."""


class Displayed:
    """A result that notebooks show as HTML: Jupyter and others ask for `_repr_html_`."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """A small piece of HTML that needs nothing else; None, and so the text, where it fails."""
        # The one look upwards, when a notebook asks: graphs and losses do not load what draws them.
        try:
            from .page import notebook_html

            return notebook_html(self)
        except Exception:  # noqa: BLE001 (a cell that computed its result is not to end in red)
            return None
