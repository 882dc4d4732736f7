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
    said = f"<bdi>{text}</bdi>"
    if value.gene:
        said = f'<a href="{escape(root)}/genes/{escape(value.gene)}">{said}</a>'
    elif value.href:
        said = f'<a href="{escape(value.href)}" rel="noopener noreferrer">{said}</a>'
    elif value.parts:
        said = ", ".join(markup(each, root) for each in value.parts)
        said += f" and {value.left_out:,} more" if value.left_out else ""
    elif value.is_none:
        said = f'<span class="quiet">{text}</span>'
    if value.unit:
        said += f' <span class="unit">{escape(value.unit)}</span>'
    if value.rest:
        summary = "<summary>more of this text</summary>"
        said += f"<details>{summary}<bdi>{escape(printable(value.rest))}</bdi></details>"
    return Markup(said)  # noqa: S704 - all that is not a constant is escaped


# the sources define a few hundred fields, and a page shows most of them
@functools.lru_cache(maxsize=1_024)
def prose(text: str) -> Markup:
    """Return the text of a docstring as markup, with text in backticks as code."""
    said = [
        f"<code>{escape(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(printable(text).split("`"))
    ]
    return Markup("".join(said))  # noqa: S704 - see above
