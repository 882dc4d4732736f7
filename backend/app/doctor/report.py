"""Formats the results of the checks as text and as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.core.checks import Check, Status
from app.core.text.printable import printable
from app.doctor.run import Result

Paint = Callable[[str, Status], str]

_INDENT = " " * 8
_LABEL = 9
_IN_ASCII = {
    0x2013: "-",
    0x2014: "-",
    0x2018: "'",
    0x2019: "'",
    0x201C: '"',
    0x201D: '"',
    0x2026: "...",
}
"""ASCII replacements for typographic characters."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to write results.

    Attributes:
        marks: a word or a symbol for each status.
        paint: colours a mark.
        ascii_only: whether to replace characters that a pipe or an old terminal cannot show.
    """

    marks: dict[Status, str]
    paint: Paint
    ascii_only: bool

    def clean(self, text: str) -> str:
        """Escape control characters, and characters that the terminal cannot show."""
        text = printable(text)
        if self.ascii_only:
            text = text.translate(_IN_ASCII).encode("ascii", "backslashreplace").decode()
        return text

    def mark(self, status: Status) -> str:
        """Return the mark of a status, padded to the width of the longest one."""
        width = max(map(len, self.marks.values()))
        return self.paint(self.marks[status].ljust(width), status)


def _plain(text: str, _: Status) -> str:
    return text


def _in_colour(text: str, status: Status) -> str:
    colour = {Status.ok: 32, Status.warning: 33, Status.failed: 31}.get(status, 2)
    return f"\x1b[{colour}m{text}\x1b[0m"


def style_for(*, terminal: bool, unicode: bool, colour: bool) -> Style:
    """Return the style for an output.

    Args:
        terminal: whether the output goes to a terminal.
        unicode: whether the terminal can show more than ASCII.
        colour: whether to use colours on a terminal.
    """
    pretty = terminal and unicode
    words = {
        Status.ok: "✓" if pretty else "ok",
        Status.warning: "!" if pretty else "warn",
        Status.failed: "✗" if pretty else "FAIL",
        Status.skipped: "-" if pretty else "skip",
        Status.not_looked_at: "?" if pretty else "late",
    }
    return Style(words, _in_colour if terminal and colour else _plain, ascii_only=not pretty)


def to_text(results: Sequence[Result], style: Style, *, seconds: float, quiet: bool = False) -> str:
    """Return the results as a text, by group, with one line for each check that passed.

    Args:
        results: the results, in the order of the registry.
        style: the style of the output, see :func:`style_for`.
        seconds: the duration of all checks, in seconds.
        quiet: whether to include only problems.
    """
    shown = [result for result in results if result.is_problem] if quiet else results
    lines: list[str] = []
    for group, members in groupby(shown, key=lambda result: result.check.group):
        if lines:
            lines.append("")
        lines.append(group)
        for result in members:
            lines += _problem(result, style) if result.is_problem else [_line(result, style)]
    if missed := sum(result.status is Status.not_looked_at for result in results):
        lines += [""] * bool(lines) + [_missed(missed)]
    if not quiet:
        lines += ["", _total(results, seconds)]
    return "\n".join(lines)


def _line(result: Result, style: Style) -> str:
    summary = " ".join(result.finding.summary.split())
    return f"  {style.mark(result.status)} {style.clean(f'{result.check.id}: {summary}')}"


def _problem(result: Result, style: Style) -> list[str]:
    finding = result.finding
    parts = {
        "required": finding.required,
        "found": finding.found if finding.found != finding.summary else "",
        "why": result.check.why,
        "repair": result.remedy,
        "see": result.check.docs,
    }
    lines = [_line(result, style)]
    for label, text in parts.items():
        for number, line in enumerate(text.splitlines()):
            head = label if number == 0 else ""
            lines.append(f"{_INDENT}{head:<{_LABEL}} {style.clean(line)}".rstrip())
    return lines


def _missed(number: int) -> str:
    checks = f"{number} checks were" if number > 1 else "One check was"
    return f"{checks} not looked at, for lack of time. For more time: just doctor --limit 30"


def _total(results: Iterable[Result], seconds: float) -> str:
    counts = Counter(result.status for result in results)
    parts = [f"{counts[Status.ok]} passed"]
    if counts[Status.warning]:
        parts.append(f"{counts[Status.warning]} warning{'s' if counts[Status.warning] > 1 else ''}")
    others = (Status.failed, Status.skipped, Status.not_looked_at)
    parts += [f"{counts[status]} {status.replace('_', ' ')}" for status in others if counts[status]]
    return f"{', '.join(parts)} in {seconds:.1f} s"


def to_list(checks: Iterable[Check]) -> str:
    """Return a text with one line per check."""
    checks = list(checks)
    width = max(len(check.id) for check in checks)
    return "\n".join(f"{check.id:<{width}}  {check.title}" for check in checks)


def to_json(
    results: Sequence[Result], *, passed: bool, seconds: float, done: Sequence[str] = ()
) -> str:
    """Return the results as one JSON object.

    Args:
        results: the results, in the order of the registry.
        passed: whether the doctor found no failure.
        seconds: the duration of all checks, in seconds.
        done: descriptions of what ``--fix`` changed.
    """
    counts = Counter(result.status for result in results)
    return json.dumps(
        {
            "ok": passed,
            "counts": {status.value: counts[status] for status in Status},
            "seconds": round(seconds, 3),
            "fixed": list(done),
            "checks": [as_object(result) for result in results],
        },
        indent=2,
    )


def list_as_json(checks: Iterable[Check]) -> str:
    """Return the checks as one JSON object."""
    return json.dumps(
        {
            "checks": [
                {
                    "id": check.id,
                    "group": check.group,
                    "title": check.title,
                    "needs": list(check.needs),
                    "why": check.why,
                    "docs": check.docs,
                    "fixes": check.fix is not None,
                }
                for check in checks
            ]
        },
        indent=2,
    )


def as_object(result: Result) -> dict[str, Any]:
    """Return a result as an object for JSON."""
    finding = result.finding
    return {
        "id": result.check.id,
        "group": result.check.group,
        "title": result.check.title,
        "status": result.status.value,
        "summary": finding.summary,
        "required": finding.required,
        "found": finding.found,
        "detail": dict(finding.detail),
        "why": result.check.why if result.is_problem else "",
        "remedy": result.remedy,
        "docs": result.check.docs,
        "seconds": round(result.seconds, 3),
    }
