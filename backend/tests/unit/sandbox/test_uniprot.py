from urllib.parse import parse_qs, urlsplit

import pytest

SEARCH = "/uniprot/uniprotkb/search"
HUMAN = {"query": "(organism_id:9606) AND (reviewed:true)", "format": "tsv"}


def test_the_pages_have_every_entry_once(http, sandbox):
    seen, cursor, pages = [], None, 0
    while cursor or not pages:
        params = {**HUMAN, "fields": "accession,xref_hgnc", "size": 50}
        answer = http.get(SEARCH, params=params | ({"cursor": cursor} if cursor else {}))
        header, *rows = answer.text.splitlines()
        assert header == "Entry\tHGNC"
        assert answer.headers["X-UniProt-Release"] == "2025_04"
        seen += [row.split("\t") for row in rows]
        link = answer.headers.get("Link")
        # the link names the public service
        assert link is None or link.startswith("<https://rest.uniprot.org/uniprotkb/search?")
        cursor = link and parse_qs(urlsplit(link[1 : link.index(">")]).query)["cursor"][0]
        pages += 1
    named = [hgnc_id for _, ids in seen for hgnc_id in ids.split(";")[:-1]]

    assert pages == 5
    assert len(seen) == len({accession for accession, _ in seen})
    assert len(seen) == int(answer.headers["X-Total-Results"])
    # some genes have no entry, some have two, and some share theirs
    assert set(named) < {gene.hgnc_id for gene in sandbox.catalogue.genes}
    assert len(named) > len(set(named))
    assert any(ids.count(";") == 2 for _, ids in seen)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": "501"}, "Invalid value for 'size'. It must be between 0 and 500"),
        ({"fields": "accession,color"}, "Invalid fields parameter value 'color'"),
        ({"cursor": "nonsense"}, "Invalid cursor"),
        ({"query": "glucose"}, "The sandbox knows reviewed human entries only"),
    ],
)
def test_a_search_that_cannot_be_answered_is_refused_in_words(http, changed, message):
    answer = http.get(SEARCH, params=HUMAN | changed)

    assert answer.status_code == 400
    assert answer.json() == {
        "url": "http://rest.uniprot.org/uniprotkb/search",
        "messages": [message],
    }
