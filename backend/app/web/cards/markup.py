"""Writes values as markup. A page has hundreds of values, which a macro would render too slowly."""

import functools

from markupsafe import Markup, escape

from app.core.text.printable import printable
from app.web.cards.values import Value


def markup(value: Value, root: str = "") -> Markup:
    """Return a value as markup, linked to the page of what it identifies.

    Args:
        value: the value of an answer. Its text is isolated, so that its writing direction has no
            effect on the rest.
        root: the path under which a proxy serves the pages.
    """
    text = escape(printable(value.text))
    html = f"<bdi>{text}</bdi>"
    if value.gene:
        html = f'<a href="{escape(root)}/genes/{escape(value.gene)}">{html}</a>'
    elif value.href:
        html = f'<a href="{escape(value.href)}" rel="noopener noreferrer">{html}</a>'
    elif value.parts:
        html = ", ".join(markup(part, root) for part in value.parts)
        html += f" and {value.left_out:,} more" if value.left_out else ""
    elif value.is_none:
        html = f'<span class="quiet">{text}</span>'
    if value.unit:
        html += f' <span class="unit">{escape(value.unit)}</span>'
    if value.rest:
        summary = "<summary>more of this text</summary>"
        html += f"<details>{summary}<bdi>{escape(printable(value.rest))}</bdi></details>"
    return Markup(html)  # noqa: S704 - all that is not a constant is escaped


# the sources define a few hundred fields, and a page shows most of them
@functools.lru_cache(maxsize=1_024)
def prose(text: str) -> Markup:
    """Return the text of a docstring as markup, with text in backticks as code."""
    html = [
        f"<code>{escape(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(printable(text).split("`"))
    ]
    return Markup("".join(html))  # noqa: S704 - see above
