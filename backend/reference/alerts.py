import yaml  # type: ignore[import-untyped]

from app.core.process.checkout import ROOT
from reference.markdown import table

FILE = ROOT / "deploy" / "prometheus" / "alerts.yml"


def text() -> str:
    """Return a table of the Prometheus alerts."""
    (group,) = yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    head = ("alert", "severity", "after", "meaning")
    return table(
        head,
        (
            (
                f"`{rule['alert']}`",
                rule["labels"]["severity"],
                rule.get("for", "at once"),
                _without_values(rule["annotations"]["summary"])
                + " "
                + rule["annotations"]["description"],
            )
            for rule in group["rules"]
        ),
    )


def _without_values(summary: str) -> str:
    """Replace the template values in an alert's summary by words."""
    words = {
        "{{ $value | humanizeDuration }} or more": "too long",
        "{{ $value | humanizeDuration }}": "too long",
        "{{ $value | humanize }}": "3 or more",
        "{{ $value }}": "1 or more",
        "{{ $labels.schedule }}": "NAME",
        "{{ $labels.source }}": "a source",
        "{{ $labels.waiting_for }}": "a service",
    }
    for pattern, word in words.items():
        summary = summary.replace(pattern, word)
    return summary
