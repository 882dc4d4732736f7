from reference import metrics
from tests.conftest import REPOSITORY


def test_a_counter_has_the_name_that_prometheus_shows() -> None:
    rows = metrics.text().splitlines()
    assert (
        "| `kidney_genetics_attempts_lost_total` | counter |  | Attempts whose worker died. |"
        in rows
    )
    assert any(
        row.startswith("| `kidney_genetics_annotations` | gauge | `source`, `state` |")
        for row in rows
    )


def test_every_metric_of_an_alert_in_the_guide_exists() -> None:
    guide = (REPOSITORY / "docs" / "deployment.md").read_text()
    named = {
        word.split("{")[0]
        for line in guide.splitlines()
        if "expr:" in line
        for word in line.replace("(", " ").replace(")", " ").split()
        if word.startswith("kidney_genetics_")
    }
    assert named
    for name in named:
        assert f"| `{name}` |" in metrics.text()
