"""The search for genes: the box in the header, and the page of results."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from app.annotation.genes.resolve import NamedGene
from app.annotation.genes.search import MAX_MATCHES, Found, search
from app.annotation.genes.words import KINDS, remark, summary
from app.api.services import ServicesDep
from app.web.rendering import page, redirect

router = APIRouter()

Typed = Annotated[str, Query(max_length=1_000)]


@router.get("/search")
async def show_found(request: Request, services: ServicesDep, q: Typed = "") -> Response:
    """Redirect to the gene that a text names, or show the candidates."""
    async with services.reads.connect() as connection:
        found = await search(connection, q, MAX_MATCHES)
    if (gene := found.only_gene) is not None:
        return redirect(request, f"/genes/{quote(_name_of(gene, found), safe=':')}")
    return page(request, "search.html", q=q, limit=MAX_MATCHES, **_shown(found))


@router.get("/search/found")
async def show_while_typing(request: Request, services: ServicesDep, q: Typed = "") -> Response:
    """Show candidates for the text in the search box below it."""
    async with services.reads.connect() as connection:
        found = await search(connection, q)
    return page(request, "search_found.html", **_shown(found))


def _name_of(gene: NamedGene, found: Found) -> str:
    """Return the name for the URL of the gene's page, which explains how the gene was found."""
    meant = found.resolution
    is_own = meant.resolved_by in {None, "hgnc_id", "symbol"}
    return gene.hgnc_id if is_own or "/" in meant.name else meant.name.strip()


@dataclass(frozen=True, slots=True)
class Line:
    """A result of the search.

    Attributes:
        why: how the text names the gene, and a warning about the gene, if any.
    """

    gene: NamedGene
    why: str


def _shown(found: Found) -> dict[str, Any]:
    """Return the values of both templates."""
    meant = found.resolution
    lines = []
    if meant.resolved_by is not None:
        kind = KINDS[meant.resolved_by]
        lines += [_line(candidate, kind, "") for candidate in meant.candidates]
        if meant.gene is not None:
            lines.append(_line(meant.gene, kind, "", meant.successor))
        if meant.successor is not None:
            lines.append(_line(meant.successor, "its successor", ""))
    lines += [
        _line(each.gene, KINDS[each.kind], each.name) for each in (*found.matches, *found.near)
    ]
    return {
        "found": found,
        "said": summary(found) if found.q.strip() else "",
        "lines": lines,
        "missing": any(line.gene.id is None for line in lines),
        # Enter opens the first result, unless the user must choose
        "first": not meant.candidates and not found.near,
    }


def _line(gene: NamedGene, kind: str, name: str, successor: NamedGene | None = None) -> Line:
    """Return a line. The name is the one that matched; empty if it equals the text."""
    named = kind if name in {"", gene.symbol} else f"{kind} {name}"
    return Line(gene, ", ".join(filter(None, [named, remark(gene, successor)])))
