"""What MGI says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import identified_by


class MgiOrtholog(msgspec.Struct, frozen=True):
    """A mouse gene that is an ortholog of the human gene."""

    mgi_id: str
    """The mouse gene in MGI."""

    symbol: str
    """The symbol of the mouse gene."""


class MgiData(msgspec.Struct, frozen=True):
    """The mouse orthologs of a gene, and the phenotypes of mice in which they are mutated."""

    orthologs: Annotated[list[MgiOrtholog], identified_by("mgi_id")]
    """The orthologs, in the order of their ids."""

    phenotypes: dict[str, str]
    """The topmost terms of the Mammalian Phenotype Ontology (MP) that MGI gives the orthologs
    (`HMD_HumanPhenotype.rpt`), with their names, such as `renal/urinary system phenotype`. The
    object is empty if MGI has none, which does not mean that the mice are healthy: of many genes,
    no mutant was studied."""

    organ_phenotype: bool
    """Whether mutants have a phenotype of the organ: one of `organ_roots` is among `phenotypes`, or
    there are `organ_terms`. MGI makes its two reports by different rules, so that one of them may
    have a phenotype that the other lacks."""

    organ_terms: dict[str, str]
    """The terms that are `organ_roots` or below them, with their names, in which MGI describes a
    mutant of an ortholog (`MGI_GenePheno.rpt`). Mutants of several genes at a time are left out,
    because their phenotype cannot be ascribed to one of the genes; conditional mutants are not in
    the report. The object is empty if there are none."""

    organ_roots: list[str]
    """The terms of the setting `MGI_ORGAN_TERMS` under which the organ was told from others."""
