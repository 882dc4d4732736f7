"""Writes the citation of the annotations of a moment."""

import json
from collections.abc import Iterator

from app.annotation.data.manifest import Manifest, ManifestSource
from app.core.text.words import some

TITLE = "Kidney genetics"

MAX_RELEASES = 3
"""Maximum number of releases of a source named in one sentence."""


def citation(manifest: Manifest) -> str:
    """Return the text that cites the annotations of a moment, in the Citation File Format 1.2.0.

    The abstract is a paragraph that a paper can quote. The references are the sources with their
    releases, licences and attributions. See https://citation-file-format.github.io for the format.
    """
    return "\n".join(_lines(manifest)) + "\n"


def paragraph(manifest: Manifest) -> str:
    """Return sentences that name the product, the moment, and each source with its release."""
    moment = f"{manifest.at:%Y-%m-%d %H:%M} UTC"
    state = f"snapshot {manifest.snapshot} of {moment}" if manifest.snapshot else f"as of {moment}"
    sources = [f"{source.title} ({_releases(source)})" for source in manifest.sources.values()]
    return (
        f"Annotations of {manifest.genes:,} human genes, {TITLE} {manifest.product}, {state}."
        f" Sources: {'; '.join(sources) or 'none'}."
    )


def _releases(source: ManifestSource) -> str:
    names = dict.fromkeys(release.release or "not stated" for release in source.releases)
    return f"release {some([*names], MAX_RELEASES)}" if names else "no answers"


def _lines(manifest: Manifest) -> Iterator[str]:
    title = f"{TITLE}: annotations of human genes"
    if manifest.snapshot:
        title += f", snapshot {manifest.snapshot}"
    yield "cff-version: 1.2.0"
    yield "message: If you use these data, please cite this dataset and the sources that it names."
    yield "type: dataset"
    yield f"title: {_quoted(title)}"
    yield f"version: {_quoted(manifest.product)}"
    yield f"date-released: {manifest.at:%Y-%m-%d}"
    yield "authors:"
    yield f"  - name: {_quoted(TITLE)}"
    yield f"abstract: {_quoted(paragraph(manifest))}"
    if manifest.sources:
        yield "references:"
    for source in manifest.sources.values():
        yield from _reference(source)


def _reference(source: ManifestSource) -> Iterator[str]:
    yield "  - type: database"
    yield f"    title: {_quoted(source.title)}"
    yield f"    authors: [{{name: {_quoted(source.title)}}}]"
    releases = [release.release for release in source.releases if release.release]
    if releases:
        yield f"    version: {_quoted(', '.join(dict.fromkeys(releases)))}"
    if source.licence_url:
        yield f"    license-url: {_quoted(source.licence_url)}"
    notes = [f"Licence: {source.licence or 'not known to this version'}."]
    if source.attribution:
        notes.append(f"Attribution: {source.attribution}")
    yield f"    notes: {_quoted(' '.join(notes))}"


def _quoted(value: str) -> str:
    # every JSON string is a valid YAML string
    return json.dumps(value, ensure_ascii=False)
