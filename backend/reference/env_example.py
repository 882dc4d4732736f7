import textwrap

from reference.settings import sections

_HEADER = """\
# Every setting, with its default. Copy this file to .env and change what you need; the
# environment takes precedence. `just reference` writes this file from the settings themselves:
# backend/app/core/config.py, and the sources in backend/app/annotation.
"""


def text() -> str:
    """Return `.env.example`. Defaults are comments, so that a copy changes nothing."""
    parts = [_HEADER]
    for heading, settings in sections().items():
        parts.append(f"# --- {heading} ---\n")
        for setting in settings:
            meaning = textwrap.fill(
                setting.meaning,
                width=97,
                initial_indent="# ",
                subsequent_indent="# ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            parts.append(f"{meaning}\n# {setting.variable}={setting.default}\n")
    return "\n".join(parts)
