"""The names of a gene, and how they are stored in the table `gene_names`."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_NAME = 100
"""Maximum length in characters. The longest real name has about 30. PostgreSQL cannot index very
long texts."""


@dataclass(frozen=True, slots=True)
class GeneNames:
    """The names of a gene.

    Args:
        hgnc_id: the HGNC id with its prefix.
        symbol: the approved symbol.
        previous: former symbols.
        aliases: other names.
    """

    hgnc_id: str
    symbol: str
    previous: tuple[str, ...]
    aliases: tuple[str, ...]

    def storable(self) -> Iterator[tuple[str, str]]:
        """Yield each name once with its kind. Skip names that PostgreSQL cannot store."""
        kinds = (
            ("symbol", (self.symbol,)),
            ("previous", self.previous),
            ("alias", self.aliases),
        )
        for kind, names in kinds:
            for name in dict.fromkeys(names):
                if is_indexable(name):
                    yield kind, name


def is_indexable(name: str) -> bool:
    """Tell whether PostgreSQL can store and index a name."""
    return len(name) <= MAX_NAME and "\0" not in name
