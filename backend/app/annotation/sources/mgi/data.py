"""What MGI says about a gene."""

from typing import Annotated

import msgspec

from app.annotation.sources.structure import identified_by


class MgiOrtholog(msgspec.Struct, frozen=True):
    """A mouse gene that is an ortholog of the human gene."""

    mgi_id: str
    """The id of the mouse gene in MGI, such as `MGI:97603`."""

    symbol: str
    """The symbol of the mouse gene."""


class MgiData(msgspec.Struct, frozen=True):
    """The mouse orthologs of a gene, and the phenotypes of mice with mutations in them."""

    orthologs: Annotated[list[MgiOrtholog], identified_by("mgi_id")]
    """The mouse orthologs of the gene, sorted by id."""

    phenotypes: dict[str, str]
    """The affected organ systems: the top-level terms of the Mammalian Phenotype Ontology (MP) that
    MGI assigns to the orthologs (`HMD_HumanPhenotype.rpt`). MP ids with their names, such as
    `renal/urinary system phenotype`. Empty if MGI assigns none. This does not mean that the mutants
    are healthy, because many genes have no mutant that was studied."""

    organ_phenotype: bool
    """True if mutants have a phenotype of the organ: `phenotypes` contains one of `organ_roots`, or
    `organ_terms` is not empty. The two can differ, because MGI makes the two reports by different
    rules."""

    organ_terms: dict[str, str]
    """The phenotypes of mutants that concern the organ: those in `MGI_GenePheno.rpt` that are
    `organ_roots` or their descendants, as MP ids with their names. Mutants of several genes are
    left out, because their phenotype cannot be attributed to one gene. The report does not contain
    conditional mutants. Empty if there are none."""

    organ_roots: list[str]
    """The MP ids that defined the organ when `organ_terms` was computed, from the setting
    `MGI_ORGAN_TERMS`. By default they mean the renal and urinary system."""
