LOOKUP = "/ensembl/lookup/symbol/homo_sapiens"


def test_symbols_that_ensembl_does_not_have_are_omitted(http, sandbox):
    symbols = [gene.symbol for gene in sandbox.catalogue.genes]
    absent = {gene.symbol for gene in sandbox.catalogue.genes if not gene.at_ensembl}
    found = http.post(LOOKUP, json={"symbols": [*symbols, "NOSUCHGENE"]}).json()

    assert absent
    assert found.keys() == set(symbols) - absent
    assert found["PKD1"]["id"] == "ENSG00000008710"


def test_ids_that_ensembl_does_not_have_are_null(http, sandbox):
    genes = {gene.ensembl_id: gene for gene in sandbox.catalogue.genes}
    found = http.post("/ensembl/lookup/id", json={"ids": [*genes, "ENSG00009999999"]}).json()

    assert found.keys() == {*genes, "ENSG00009999999"}
    for ensembl_id, record in found.items():
        there = ensembl_id in genes and genes[ensembl_id].at_ensembl
        assert (record["id"] if record else None) == (ensembl_id if there else None)


def test_at_most_a_thousand_symbols_are_looked_up_at_a_time(http):
    symbols = [f"X{number}" for number in range(1_001)]
    refused = http.post(LOOKUP, json={"symbols": symbols})

    assert http.post(LOOKUP, json={"symbols": symbols[:1_000]}).json() == {}
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(
        "POST message too large. You have submitted 1001 elements but a limit of 1000 is in place."
    )


def test_a_single_symbol_is_looked_up(http):
    unknown = http.get(f"{LOOKUP}/NOSUCHGENE")

    assert http.get(f"{LOOKUP}/PKD1").json()["display_name"] == "PKD1"
    assert unknown.status_code == 400
    assert unknown.json() == {"error": "No valid lookup found for symbol NOSUCHGENE"}


def test_release_and_bad_bodies(http):
    assert http.get("/ensembl/info/data").json() == {"releases": [115]}
    assert http.get("/ensembl/info/software").json() == {"release": 115}
    for body in (b"", b"[]", b'{"symbols": 3}', b'{"symbols": []}'):
        assert http.post(LOOKUP, content=body).status_code == 400
