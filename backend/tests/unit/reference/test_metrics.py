from reference import metrics


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
