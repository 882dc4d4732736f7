"""The alerts for Prometheus and the dashboards for Grafana."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from markdown.extensions.toc import slugify

from reference.metrics import all_metrics
from tests.conftest import REPOSITORY

PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
GRAFANA = REPOSITORY / "deploy" / "grafana"
RULES: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0][
    "rules"
]
METRIC = re.compile(r"kidney_genetics_\w+")


def known() -> set[str]:
    suffixes = {"counter": "_total", "histogram": "_bucket"}
    return {each.name + suffixes.get(each.type, "") for each in all_metrics()}


def anchors() -> set[str]:
    page = (REPOSITORY / "docs" / "troubleshooting.md").read_text()
    headings = re.findall(r"^#{2,} (.+?)(?: \{#.*\})?$", page, re.MULTILINE)
    return {slugify(heading.replace("`", ""), "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_are_there_and_says_what_to_do(rule) -> None:
    named = set(METRIC.findall(rule["expr"]))
    assert named
    # a histogram has the number of all durations, too
    assert {re.sub("_count$", "_bucket", name) for name in named} <= known()
    assert rule["labels"]["severity"] in {"critical", "warning"}
    notes = rule["annotations"]
    for text in (notes["summary"], notes["description"]):
        assert text.endswith((".", "}"))
    address, _, anchor = notes["runbook_url"].partition("/troubleshooting.html#")
    assert address == "http://127.0.0.1:8001"
    assert anchor in anchors()


def test_the_tests_of_the_alerts_look_at_each_of_them() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    silent = {each["alertname"] for each in tests[0]["alert_rule_test"]}
    firing = {
        re.search(r'alertname="(\w+)"', sample["labels"])[1]
        for sample in tests[1]["promql_expr_test"][0]["exp_samples"]
    } | {each["alertname"] for each in tests[2]["alert_rule_test"] if "exp_alerts" in each}
    assert silent == firing == {rule["alert"] for rule in RULES}


def test_prometheus_itself_finds_the_alerts_right() -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed (the Debian package prometheus has it)")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run(
            [promtool, *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_metric_has_a_panel_on_one_dashboard() -> None:
    shown: list[str] = []
    for name in ("operation", "data"):
        dashboard = json.loads((GRAFANA / f"{name}.json").read_text())
        variables = {each["name"] for each in dashboard["templating"]["list"]}
        places = set()
        for panel in dashboard["panels"]:
            queries = [target["expr"] for target in panel["targets"]]
            (metric,) = {name for query in queries for name in METRIC.findall(query)}
            assert metric == panel["description"]
            shown.append(metric)
            assert set(re.findall(r"\$(\w+)", json.dumps(panel).replace("${", "$"))) <= variables
            places.add((panel["gridPos"]["x"], panel["gridPos"]["y"]))
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert len(places) == len(dashboard["panels"])
    assert sorted(shown) == sorted(known())
