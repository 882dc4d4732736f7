import pytest


@pytest.fixture
def panelapp(sandbox):
    service = sandbox.services["panelapp"]
    yield service
    service.page_size = 100
    service._changes.clear()


@pytest.mark.parametrize(("region", "count"), [("uk", 40), ("au", 30)])
def test_the_pages_have_every_panel_once(http, panelapp, region, count):
    panelapp.page_size = 15
    seen, number = [], 1
    while number:
        page = http.get(f"/panelapp-{region}/panels/", params={"page": number}).json()
        assert page["count"] == count
        seen += page["results"]
        # the link names the public service
        assert not page["next"] or page["next"].startswith("https://panelapp")
        number = page["next"] and int(page["next"].partition("?page=")[2])

    assert len({panel["id"] for panel in seen}) == len(seen) == count
    assert http.get(f"/panelapp-{region}/panels/", params={"page": 99}).json() == {
        "detail": "Invalid page."
    }


def test_a_panel_has_the_genes_that_the_list_counts(http, sandbox):
    listed = http.get("/panelapp-uk/panels/").json()["results"]
    confidences, on_a_panel = set(), set()
    for each in listed:
        panel = http.get(f"/panelapp-uk/panels/{each['id']}/").json()
        genes, strs, regions = panel.pop("genes"), panel.pop("strs"), panel.pop("regions")
        assert panel == each
        assert [len(genes), len(strs), len(regions)] == list(each["stats"].values())
        confidences |= {gene["confidence_level"] for gene in (*genes, *strs)}
        on_a_panel |= {gene["gene_data"]["hgnc_id"] for gene in genes}

    assert confidences == {"0", "1", "2", "3"}
    # some genes are on no panel
    assert on_a_panel < {gene.hgnc_id for gene in sandbox.catalogue.genes}
    assert http.get("/panelapp-uk/panels/9999/").status_code == 404


def test_a_super_panel_lists_a_gene_once_for_each_of_its_panels(http):
    listed = http.get("/panelapp-uk/panels/").json()["results"]
    (number,) = (each["id"] for each in listed if each["types"][0]["slug"] == "superpanel")
    genes = [
        [row["entity_name"] for row in http.get(f"/panelapp-uk/panels/{each}/").json()["genes"]]
        for each in (number, 1, 2)
    ]

    assert genes[0] == genes[1] + genes[2]


def test_a_published_panel_has_a_new_version_and_a_later_day(http, panelapp):
    before = http.get("/panelapp-au/panels/3002/").json()
    panelapp.publish("au", 3002)
    after = http.get("/panelapp-au/panels/3002/").json()

    assert before["version_created"] < after["version_created"]
    assert before["version_created"].endswith("+10:00")
    assert before["version"] != after["version"]
    assert before["genes"] == after["genes"]


def test_a_burst_is_refused_with_the_seconds_to_wait(http, sandbox):
    sandbox.set_limits(panelapp_uk=2)
    try:
        answers = [http.get("/panelapp-uk/panels/") for _ in range(3)]
        refused = answers[-1]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert int(refused.headers["Retry-After"]) == 1
        assert refused.json() == {
            "detail": "Request was throttled. Expected available in 1 seconds."
        }
        # the other installation has its own limit
        assert http.get("/panelapp-au/panels/").status_code == 200
    finally:
        sandbox.set_limits(panelapp_uk=None)
