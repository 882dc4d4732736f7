"""The list of all generated blocks with their files."""

from app.annotation.sources import SOURCES
from app.core.process.checkout import ROOT
from reference import (
    alerts,
    checks,
    compose,
    dashboards,
    env_example,
    export_columns,
    fields,
    http,
    jobs,
    layers,
    llms,
    measured,
    metrics,
    notifications,
    recipes,
    schedules,
    settings,
    shell,
    source_pages,
    sources,
    spans,
    tables,
)
from reference.blocks import Block

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
MEASURED = REFERENCE / "measured"


def blocks() -> list[Block]:
    """Return all blocks."""
    deployment = DOCS / "deployment.md"
    imports = layers.read()
    return [
        Block(DOCS / "troubleshooting.md", "symptoms", checks.index()),
        Block(DOCS / "troubleshooting.md", "checks", checks.text()),
        Block(REFERENCE / "metrics.md", "metrics", metrics.text()),
        Block(ROOT / "deploy" / "grafana" / "operation.json", None, dashboards.operation()),
        Block(ROOT / "deploy" / "grafana" / "data.json", None, dashboards.data()),
        Block(DOCS / "how-to" / "be-alerted.md", "alerts", alerts.text()),
        Block(deployment, "settings", settings.guide()),
        Block(deployment, "jobs", jobs.text()),
        Block(ROOT / ".env.example", None, env_example.text()),
        Block(REFERENCE / "settings.md", "settings", settings.text()),
        Block(REFERENCE / "settings.md", "compose", compose.text()),
        Block(compose.FILE, "sources", compose.passed_on()),
        Block(REFERENCE / "sources.md", "sources", sources.sources()),
        Block(REFERENCE / "sources.md", "refreshing", sources.refreshing()),
        Block(REFERENCE / "sources.md", "hosts", sources.hosts()),
        *(
            Block(REFERENCE / "sources" / f"{name}.md", None, source_pages.page(source))
            for name, source in SOURCES.items()
        ),
        Block(REFERENCE / "notifications.md", "kinds", notifications.kinds()),
        Block(REFERENCE / "notifications.md", "gains", notifications.gains()),
        Block(REFERENCE / "schedules.md", "options", schedules.options()),
        Block(REFERENCE / "schedules.md", "outcomes", schedules.outcomes()),
        Block(REFERENCE / "fields.md", "fields", fields.fields()),
        Block(REFERENCE / "conditions.md", "operators", fields.operators()),
        Block(REFERENCE / "conditions.md", "pseudo-fields", fields.pseudo_fields()),
        Block(ROOT / "mkdocs.yml", "sources", source_pages.navigation()),
        Block(REFERENCE / "export-columns.md", "gene columns", export_columns.genes()),
        Block(REFERENCE / "export-columns.md", "answer columns", export_columns.answers()),
        Block(REFERENCE / "export-columns.md", "field columns", export_columns.fields()),
        Block(REFERENCE / "recipes.md", "recipes", recipes.text()),
        Block(REFERENCE / "shell.md", "commands", shell.text()),
        Block(REFERENCE / "openapi.json", None, http.openapi_json()),
        Block(REFERENCE / "http.md", "endpoints", http.endpoints()),
        Block(REFERENCE / "http.md", "objects", http.objects()),
        Block(REFERENCE / "spans.md", "spans", spans.text()),
        Block(REFERENCE / "tables.md", "diagram", tables.diagram()),
        Block(REFERENCE / "tables.md", "tables", tables.sections()),
        Block(REFERENCE / "layers.md", "layers", layers.picture(imports)),
        Block(REFERENCE / "layers.md", "imports", layers.who_imports_whom(imports)),
        Block(REFERENCE / "layers.md", "rules", layers.rules()),
        Block(REFERENCE / "layers.md", "core", layers.modules(layers.BACKEND / "app" / "core")),
        Block(
            REFERENCE / "layers.md",
            "annotation",
            layers.modules(layers.BACKEND / "app" / "annotation"),
        ),
        *(
            Block(DOCS / "explanation" / "arq.md", name, measured.table(MEASURED / f"{name}.md"))
            for name in ("recovery", "kills")
        ),
        Block(DOCS / "llms.txt", None, llms.text(ROOT / "mkdocs.yml", DOCS)),
    ]
