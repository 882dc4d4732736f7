"""Reads ontologies of phenotypes, such as HPO and MP, in their two file formats."""

from app.annotation.sources.ontology.graph import Ontology
from app.annotation.sources.ontology.obo import read_obo
from app.annotation.sources.ontology.obographs import read_obographs
from app.annotation.sources.ontology.organ import is_lost, organ_terms

__all__ = ["Ontology", "is_lost", "organ_terms", "read_obo", "read_obographs"]
