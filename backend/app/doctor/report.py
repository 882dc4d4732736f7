"""Writes the results of the checks, for people and for programs."""

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
"""Typographic characters that have a close relative in ASCII."""


@dataclass(frozen=True, slots=True)
class Look:
    """How results are written.

    Attributes:
        marks: a word or a sign for each status.
        paint: colours a mark.
        ascii_only: whether to replace characters that a pipe or an old terminal cannot show.
    """

    marks: dict[Status, str]
    paint: Paint
    ascii_only: bool

    def clean(self, text: str) -> str:
        """Escape characters that would control the terminal, or that it cannot show."""
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


def look(*, terminal: bool, unicode: bool, colour: bool) -> Look:
    """Choose how to write results.

    Args:
        terminal: whether the output goes to a terminal.
        unicode: whether the terminal can show more than ASCII.
        colour: whether colours are wanted on a terminal.
    """
    pretty = terminal and unicode
    words = {
        Status.ok: "✓" if pretty else "ok",
        Status.warning: "!" if pretty else "warn",
        Status.failed: "✗" if pretty else "FAIL",
        Status.skipped: "-" if pretty else "skip",
        Status.not_looked_at: "?" if pretty else "late",
    }
    return Look(words, _in_colour if terminal and colour else _plain, ascii_only=not pretty)


def to_text(results: Sequence[Result], how: Look, *, seconds: float, quiet: bool = False) -> str:
    """Write the results for people, by group, with one line for each check that passed.

    Args:
        results: in the order of the registry.
        how: from :func:`look`.
        seconds: how long all checks took.
        quiet: whether to write problems only.
    """
    shown = [result for result in results if result.is_problem] if quiet else results
    lines: list[str] = []
    for group, members in groupby(shown, key=lambda each: each.check.group):
        if lines:
            lines.append("")
        lines.append(group)
        for result in members:
            lines += _problem(result, how) if result.is_problem else [_line(result, how)]
    if missed := sum(result.status is Status.not_looked_at for result in results):
        lines += [""] * bool(lines) + [_missed(missed)]
    if not quiet:
        lines += ["", _total(results, seconds)]
    return "\n".join(lines)


def _line(result: Result, how: Look) -> str:
    summary = " ".join(result.finding.summary.split())
    return f"  {how.mark(result.status)} {how.clean(f'{result.check.id}: {summary}')}"


def _problem(result: Result, how: Look) -> list[str]:
    finding = result.finding
    parts = {
        "required": finding.required,
        "found": finding.found if finding.found != finding.summary else "",
        "why": result.check.why,
        "repair": result.remedy,
        "see": result.check.docs,
    }
    lines = [_line(result, how)]
    for label, text in parts.items():
        for number, line in enumerate(text.splitlines()):
            head = label if number == 0 else ""
            lines.append(f"{_INDENT}{head:<{_LABEL}} {how.clean(line)}".rstrip())
    return lines


def _missed(number: int) -> str:
    checks = f"{number} checks were" if number > 1 else "One check was"
    return f"{checks} not looked at, for lack of time. For more time: just doctor --limit 30"


def _total(results: Iterable[Result], seconds: float) -> str:
    number = Counter(result.status for result in results)
    said = [f"{number[Status.ok]} passed"]
    if number[Status.warning]:
        said.append(f"{number[Status.warning]} warning{'s' if number[Status.warning] > 1 else ''}")
    others = (Status.failed, Status.skipped, Status.not_looked_at)
    said += [f"{number[status]} {status.replace('_', ' ')}" for status in others if number[status]]
    return f"{', '.join(said)} in {seconds:.1f} s"


def to_list(checks: Iterable[Check]) -> str:
    """Write one line for each check."""
    checks = list(checks)
    width = max(len(check.id) for check in checks)
    return "\n".join(f"{check.id:<{width}}  {check.title}" for check in checks)


def to_json(
    results: Sequence[Result], *, passed: bool, seconds: float, done: Sequence[str] = ()
) -> str:
    """Write the results as one object.

    Args:
        results: in the order of the registry.
        passed: whether the doctor found no failure.
        seconds: how long all checks took.
        done: what ``--fix`` did.
    """
    number = Counter(result.status for result in results)
    return json.dumps(
        {
            "ok": passed,
            "counts": {status.value: number[status] for status in Status},
            "seconds": round(seconds, 3),
            "fixed": list(done),
            "checks": [as_object(result) for result in results],
        },
        indent=2,
    )


def list_as_json(checks: Iterable[Check]) -> str:
    """Write the checks as one object."""
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
    """Return a result as the JSON of the command has it."""
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
