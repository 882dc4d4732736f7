"""Selects the genes with their names at a moment."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    bindparam,
    case,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from app.annotation.data.moments import Moment
from app.db.tables import gene_events, genes

_RENAMED = {
    "symbol": "renamed",
    "ensembl_gene_id": "ensembl id changed",
    "entrez_id": "entrez id changed",
}
"""The events that store the former values of a column."""

_FATES = ("merged", "split", "withdrawn", "approved again")


def genes_at(moment: Moment, name: str = "genes") -> Subquery:
    """Return a subquery of the genes that were in the database at a moment.

    Its columns are ``id``, ``hgnc_id``, ``symbol``, ``ensembl_gene_id``, ``entrez_id``,
    ``withdrawn_at`` and ``successor_id``, with their values at the moment. An Ensembl or Entrez id
    that became known later is included, because that time is not recorded. The successor is the one
    that HGNC named.

    Args:
        moment: the point in time.
        name: the name of the subquery.
    """
    if moment.at is None:
        return select(
            genes.c.id,
            genes.c.hgnc_id,
            genes.c.symbol,
            genes.c.ensembl_gene_id,
            genes.c.entrez_id,
            genes.c.withdrawn_at,
            genes.c.successor_id,
        ).subquery(name)
    at = bindparam(None, moment.at, type_=DateTime(timezone=True))
    former, fate = _former(at).subquery(), _fate(at).subquery()
    successors = genes.alias()
    successor = select(successors.c.id).where(successors.c.hgnc_id == fate.c.successor)
    return (
        select(
            genes.c.id,
            genes.c.hgnc_id,
            *(
                func.coalesce(former.c[column], genes.c[column]).label(column)
                for column in _RENAMED
            ),
            case(
                (fate.c.event == "approved again", None),
                (genes.c.withdrawn_at <= at, genes.c.withdrawn_at),
                else_=fate.c.at,
            ).label("withdrawn_at"),
            case((fate.c.event == "merged", successor.scalar_subquery())).label("successor_id"),
        )
        .select_from(
            genes.outerjoin(former, former.c.gene_id == genes.c.id).outerjoin(
                fate, fate.c.gene_id == genes.c.id
            )
        )
        .where(genes.c.created_at <= at)
        .subquery(name)
    )


def _former(at: ColumnElement[datetime]) -> Select[Any]:
    """Select the names of genes before their first change after a moment."""
    was = aggregate_order_by(
        gene_events.c.detail["from"].astext, gene_events.c.at, gene_events.c.id
    )
    return (
        select(
            gene_events.c.gene_id,
            *(
                func.array_agg(was).filter(gene_events.c.event == event)[1].label(column)
                for column, event in _RENAMED.items()
            ),
        )
        .where(gene_events.c.at > at, gene_events.c.event.in_(_RENAMED.values()))
        .group_by(gene_events.c.gene_id)
    )


def _fate(at: ColumnElement[datetime]) -> Select[Any]:
    """Select HGNC's last statement about the approval of genes until a moment."""
    return (
        select(
            gene_events.c.gene_id,
            gene_events.c.event,
            gene_events.c.at,
            gene_events.c.detail["into"][0].astext.label("successor"),
        )
        .ext(distinct_on(gene_events.c.gene_id))
        .where(gene_events.c.at <= at, gene_events.c.event.in_(_FATES))
        .order_by(gene_events.c.gene_id, gene_events.c.at.desc(), gene_events.c.id.desc())
    )
