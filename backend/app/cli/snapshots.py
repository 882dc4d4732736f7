import click

from app.annotation.data import snapshots
from app.annotation.data.citation import citation
from app.annotation.data.manifest import ManifestSource
from app.annotation.data.snapshots import Snapshot
from app.cli.output import (
    as_json,
    cells,
    count,
    local_time,
    note,
    say,
    stdout,
    table,
    write_json,
    write_json_list,
)
from app.cli.session import change_database, read_database
from app.cli.who import login_name
from app.core.errors import WrongUse
from app.core.text.words import some

_MAX_RELEASES = 3


@click.command()
@click.argument("name", required=False)
@click.option("--note", "why", help="The reason, which is stored with the snapshot.")
@click.option("--by", metavar="WHO", help="Your name; by default your login name.")
@click.option("--list", "action", flag_value="list", help="List the snapshots.")
@click.option("--show", "action", flag_value="show", help="Show the manifest of the snapshot.")
@click.option(
    "--cite", "action", flag_value="cite", help="Write the citation for a paper, as YAML."
)
@click.option("--delete", "action", flag_value="delete", help="Delete the snapshot; needs --force.")
@click.option("--force", is_flag=True, help="Delete the snapshot although papers may cite it.")
@as_json
def snapshot(
    name: str | None,
    *,
    why: str | None,
    by: str | None,
    action: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Take a snapshot: freeze the present annotations under the name NAME.

    Reads, exports and comparisons accept --snapshot NAME. The manifest of a snapshot has the
    releases, files, licence and counts of each source. A snapshot cannot be changed, and the
    history keeps its answers.
    """
    action = action or "take"
    if (why is not None or by is not None) and action != "take":
        raise WrongUse(f"--note or --by with --{action}", allowed="with a NAME to take a snapshot")
    if force and action != "delete":
        raise WrongUse("--force without --delete", allowed="just snapshot NAME --delete --force")
    if action == "list":
        if name is not None:
            raise WrongUse(f"--list with the name {name[:60]!r}", allowed="--list, or NAME --show")
        _list(as_json=as_json)
        return
    if name is None:
        raise WrongUse(
            "the name of the snapshot is missing", allowed="just snapshot NAME, or --list"
        )
    if action == "delete":
        _delete(name, force=force)
    elif action == "take":
        _take(name, why, login_name() if by is None else by, as_json=as_json)
    else:
        found = _get(name)
        if action == "cite":
            click.echo(citation(found.manifest), nl=False)
        elif as_json:
            write_json(found)
        else:
            _show(found)


def _take(name: str, why: str | None, by: str, *, as_json: bool) -> None:
    taken = change_database(lambda connection: snapshots.take(connection, name, note=why, by=by))
    if as_json:
        write_json(taken)
        return
    sources = len(taken.manifest.sources)
    say(
        f"snapshot {name} was taken: {local_time(taken.at)}, {count(taken.manifest.genes)} genes,"
        f" {sources} source{'s' * (sources != 1)}"
    )
    note(f"To see its contents: just snapshot {name} --show")


def _get(name: str) -> Snapshot:
    return read_database(lambda connection: snapshots.get_snapshot(connection, name))


def _list(*, as_json: bool) -> None:
    found = read_database(snapshots.list_snapshots)
    if as_json:
        write_json_list(found)
        return
    if not found:
        note("There is no snapshot yet. To take one: just snapshot NAME")
        return
    shown = table("name", "time", "genes", "sources", "by", "note", right=("genes", "sources"))
    for snapshot in found:
        sources = count(len(snapshot.sources))
        when = local_time(snapshot.at)
        row = (
            snapshot.name,
            when,
            count(snapshot.genes),
            sources,
            snapshot.by,
            snapshot.note or "",
        )
        shown.add_row(*cells(*row))
    stdout().print(shown)


def _show(found: Snapshot) -> None:
    manifest = found.manifest
    say(f"snapshot {found.name}, {local_time(found.at)}, by {found.by}")
    if found.note:
        say(f"note: {found.note}")
    say(f"version {manifest.product}, {count(manifest.genes)} genes")
    numbers = ("found", "absent", "unknown")
    shown = table("source", "release", *numbers, "licence", right=numbers)
    for name, source in manifest.sources.items():
        counts = (count(source.found), count(source.absent), count(source.unknown))
        shown.add_row(*cells(name, _releases(source), *counts, source.licence or "not known"))
    stdout().print(shown)
    note(f"Files, SHA-256 and attributions: just snapshot {found.name} --show --json")


def _releases(source: ManifestSource) -> str:
    names = dict.fromkeys(release.release or "not stated" for release in source.releases)
    return some([*names], _MAX_RELEASES) or "-"


def _delete(name: str, *, force: bool) -> None:
    change_database(lambda connection: snapshots.delete_snapshot(connection, name, force=force))
    say(f"snapshot {name} was deleted")
