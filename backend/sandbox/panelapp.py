"""Genomics England's PanelApp and PanelApp Australia: lists of panels, and panels with genes."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property, partial
from typing import Any, ClassVar

from sandbox.call import Call, Reply, as_json
from sandbox.catalogue import Catalogue, Gene
from sandbox.limits import Verdict
from sandbox.mixing import mix
from sandbox.service import Endpoint, Service

PAGE_SIZE = 100
"""The number of panels on a page. Clients of the real services cannot choose it."""

PANELS = {"uk": 40, "au": 30}
"""The number of panels by region. The real services had 439 and 261 in 2026."""

_PUBLIC = {
    "uk": "https://panelapp.genomicsengland.co.uk/api/v1/panels/",
    "au": "https://panelapp-aus.org/api/v1/panels/",
}
_FIRST_ID = {"uk": 1, "au": 3_001}
_WELL_KNOWN = 58
"""The first genes of the catalogue, which are well-known kidney genes, are all on a panel."""

_ON_NO_PANEL = {1, 2}
"""Places (index modulo 3) of the other genes, which are on no panel."""

_NAMES = (
    "Unexplained kidney failure in young people", "Cystic kidney disease", "Renal tubulopathies",
    "Proteinuric renal disease", "Rare multisystem ciliopathy disorders", "Haematuria",
)  # fmt: skip
_CONFIDENCE = ("3", "3", "3", "2", "1", "1", "0")
_INHERITANCE = (
    "BIALLELIC, autosomal or pseudoautosomal",
    "MONOALLELIC, autosomal or pseudoautosomal, NOT imprinted",
    "BOTH monoallelic and biallelic, autosomal or pseudoautosomal",
    "X-LINKED: hemizygous mutation in males, biallelic mutations in females",
    "Other",
    "",
)
_ZONES = {"uk": UTC, "au": timezone(timedelta(hours=10))}
_NOT_FOUND = b'{"detail":"Not found."}'
_DOWN = b'{"detail":"Service unavailable"}'


class PanelApp(Service):
    """Both installations of PanelApp.

    Neither documents a limit, and both answer bursts with 429. The rates are conservative.

    Attributes:
        page_size: the number of panels on a page, which tests may set.
    """

    name = "panelapp"
    addresses: ClassVar = {"PANELAPP_UK_URL": "panelapp-uk", "PANELAPP_AU_URL": "panelapp-au"}
    rates: ClassVar = {"panelapp_uk": 2.0, "panelapp_au": 2.0}
    rate_settings: ClassVar = {"PANELAPP_UK_RATE": "panelapp_uk", "PANELAPP_AU_RATE": "panelapp_au"}

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.page_size = PAGE_SIZE
        self._changes: dict[tuple[str, int], int] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the list and the panels of both regions."""
        return tuple(self._endpoints())

    def _endpoints(self) -> Iterator[Endpoint]:
        for region in PANELS:
            for name, path, answer in (
                ("list", "panels/", self.list),
                ("panel", "panels/{number}/", self.panel),
            ):
                yield Endpoint(
                    name=f"panelapp.{region}.{name}",
                    path=f"/panelapp-{region}/{path}",
                    answer=partial(answer, region),
                    budget=f"panelapp_{region}",
                    miscounts=True,
                    error_body=_DOWN,
                )

    def too_many(
        self, budget: str, verdict: Verdict, client: str, seconds: float | None = None
    ) -> Reply:
        """Return PanelApp's 429, which asks for whole seconds."""
        del budget, client
        wait = max(1, math.ceil(verdict.wait if seconds is None else seconds))
        text = f"Request was throttled. Expected available in {wait} seconds."
        return Reply(as_json({"detail": text}), 429, headers={"Retry-After": str(wait)})

    def publish(self, region: str, panel: int) -> None:
        """Give a panel a new version, as after a change by the reviewers.

        Args:
            region: `uk` or `au`.
            panel: the number of the panel.
        """
        self._changes[region, panel] = self._changes.get((region, panel), 0) + 1

    @cached_property
    def genes(self) -> dict[tuple[str, int], list[tuple[Gene, int]]]:
        """Return the genes of each panel, with a number that determines the gene's row."""
        found: dict[tuple[str, int], list[tuple[Gene, int]]] = {
            (region, _FIRST_ID[region] + place): []
            for region, count in PANELS.items()
            for place in range(count)
        }
        for gene in self.catalogue.genes:
            if gene.index >= _WELL_KNOWN and gene.index % 3 in _ON_NO_PANEL:
                continue
            for seed, (region, count) in enumerate(PANELS.items(), 21):
                chosen = mix(seed, gene.index)
                # the last panel is a super panel without genes of its own
                places = {chosen % (count - 1), chosen // 97 % (count - 1)}
                for place in sorted(places)[: 2 - chosen % 2]:
                    found[region, _FIRST_ID[region] + place].append((gene, chosen // 7 + place))
        for region, count in PANELS.items():
            first = _FIRST_ID[region]
            found[region, first + count - 1] = found[region, first] + found[region, first + 1]
        return found

    async def list(self, region: str, call: Call) -> Reply:
        """`/panels/?page=N`."""
        call.meet_fault(lambda _: False)
        numbers = sorted(
            (number for of, number in self.genes if of == region), key=partial(_name, region)
        )
        page = call.params.get("page", "1")
        pages = max(1, math.ceil(len(numbers) / self.page_size))
        if not page.isdecimal() or not 1 <= int(page) <= pages:
            return Reply(b'{"detail":"Invalid page."}', 404)
        at = int(page)
        shown = numbers[(at - 1) * self.page_size : at * self.page_size]
        if call.spoilt_by("wrong-count"):
            shown = shown[:-1]
        body = {
            "count": len(numbers),
            "next": f"{_PUBLIC[region]}?page={at + 1}" if at < pages else None,
            "previous": f"{_PUBLIC[region]}?page={at - 1}" if at > 1 else None,
            "results": [self._summary(region, number) for number in shown],
        }
        return Reply(as_json(body), page=(region, at), records=len(shown))

    async def panel(self, region: str, call: Call) -> Reply:
        """`/panels/{id}/`."""
        text = call.values["number"]
        number = int(text) if text.isdecimal() else -1
        genes = self.genes.get((region, number), [])
        symbols = [gene.symbol for gene, _ in genes]
        call.meet_fault(lambda gene: gene.upper() in map(str.upper, symbols))
        if (region, number) not in self.genes:
            return Reply(_NOT_FOUND, 404)
        rows = [_row(gene, chosen) for gene, chosen in genes]
        if call.spoilt_by("wrong-count") and rows:
            rows.pop()
        body = self._summary(region, number) | {
            "genes": rows,
            "strs": [_repeat(self.catalogue.genes[0])] if number % 10 == 1 else [],
            "regions": [_region(number)] if number % 5 == 1 else [],
        }
        return Reply(as_json(body), genes=symbols, page=(region, number), records=len(rows))

    def _summary(self, region: str, number: int) -> dict[str, Any]:
        changes = self._changes.get((region, number), 0)
        made = datetime(2025, 10, 1, 23, 30, tzinfo=_ZONES[region])
        made += timedelta(days=number % 30 + 31 * changes, microseconds=number)
        slug = "superpanel" if number == _FIRST_ID[region] + PANELS[region] - 1 else "rare-disease"
        more = {"description": "A panel.", "child_panel_ids": []} if region == "au" else {}
        return {
            "id": number,
            "hash_id": None if number % 2 else f"{mix(5, number):024x}"[:24],
            "name": _name(region, number),
            "disease_group": "Renal and urinary tract disorders",
            "disease_sub_group": "",
            "status": "public",
            "version": f"{1 + number % 4}.{number * 7 % 200 + changes}",
            "version_created": made.isoformat().replace("+00:00", "Z"),
            "relevant_disorders": [f"R{100 + number}"],
            "stats": {
                "number_of_genes": len(self.genes[region, number]),
                "number_of_strs": int(number % 10 == 1),
                "number_of_regions": int(number % 5 == 1),
            },
            "types": [{"name": slug.capitalize(), "slug": slug, "description": "A type."}],
            **more,
        }


def _name(region: str, number: int) -> str:
    place = number - _FIRST_ID[region]
    if place == PANELS[region] - 1:
        return "Kidney disorders - super panel"
    return _NAMES[place] if place < len(_NAMES) else f"Panel {place:02} of the sandbox"


def _gene_data(gene: Gene) -> dict[str, Any]:
    place = {"location": f"{gene.chromosome}:{gene.start}-{gene.start + 40_000}"}
    known = {**place, "ensembl_id": gene.ensembl_id}
    return {
        "alias": list(gene.aliases),
        "biotype": "protein_coding",
        "hgnc_id": gene.hgnc_id,
        "gene_name": gene.name,
        "omim_gene": None if gene.index % 9 == 0 else [str(600_000 + gene.index)],
        "alias_name": None,
        "gene_symbol": gene.symbol,
        "hgnc_symbol": gene.symbol,
        "hgnc_release": "2017-11-03",
        "ensembl_genes": {"GRch37": {"82": known}, "GRch38": {"90": known}},
        "hgnc_date_symbol_changed": "2005-07-18",
    }


def _row(gene: Gene, chosen: int) -> dict[str, Any]:
    confidence = _CONFIDENCE[chosen % len(_CONFIDENCE)]
    review = {"3": "Green", "2": "Amber", "1": "Red", "0": "Removed"}[confidence]
    return {
        "gene_data": _gene_data(gene),
        "entity_type": "gene",
        "entity_name": gene.symbol,
        "confidence_level": confidence,
        "penetrance": None if chosen % 2 else "Complete",
        "mode_of_pathogenicity": "",
        "publications": [str(20_000_000 + gene.index)],
        "evidence": [f"Expert Review {review}", "" if chosen % 5 == 0 else "NHS GMS"],
        "phenotypes": [f"Kidney disease {gene.index}"],
        "mode_of_inheritance": _INHERITANCE[chosen % len(_INHERITANCE)],
        "tags": [],
        "transcript": None,
    }


def _repeat(gene: Gene) -> dict[str, Any]:
    return {
        **_row(gene, 6),
        "entity_type": "str",
        "entity_name": f"{gene.symbol}_CAG",
        "repeated_sequence": "CAG",
        "chromosome": gene.chromosome,
        "grch37_coordinates": [gene.start, gene.start + 60],
        "grch38_coordinates": [gene.start, gene.start + 60],
        "normal_repeats": 36,
        "pathogenic_repeats": 40,
    }


def _region(number: int) -> dict[str, Any]:
    return {
        "gene_data": None,
        "entity_type": "region",
        "entity_name": f"ISCA-{37_000 + number}-Loss",
        "verbose_name": "A loss",
        "confidence_level": "3",
        "mode_of_inheritance": "MONOALLELIC, autosomal or pseudoautosomal, NOT imprinted",
        "evidence": ["Expert Review Green"],
        "chromosome": "17",
        "grch38_coordinates": [36_000_000, 37_000_000],
        "type_of_variants": "cnv_loss",
        "tags": [],
    }
