"""Well-formed but wrong files of each service."""

import gzip
from email.utils import parsedate_to_datetime

import pytest

from sandbox import Options
from sandbox.catalogue import Catalogue
from sandbox.faults import BadFault
from sandbox.registry import SERVICES
from sandbox.wrong_files import PREFIX

FILES = {
    file.name: file
    for service in SERVICES
    for file in service(Catalogue(Options(genes=30))).files()
}
RENAMED = [name for name, file in FILES.items() if file.renames]
ZEROS = [name for name, file in FILES.items() if file.numbers]


@pytest.fixture
def get(http, sandbox):
    def get(name, kind=None):
        if kind is not None:
            sandbox.fault(name, kind, times=1)
        answer = http.get(FILES[name].path)
        content = answer.content
        packed = content.startswith(b"\x1f\x8b")
        text = (gzip.decompress(content) if packed else content).decode("latin-1")
        return text, answer.headers

    return get


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_short_or_has_only_its_header(get, name):
    whole, short = (get(name, kind)[0] for kind in (None, "short"))
    if short == whole:
        pytest.skip("the file is the same for any genes")

    if FILES[name].header:
        assert len(get(name, "header-only")[0]) < len(short)
    assert len(short) < len(whole)
    assert len(short.splitlines()) <= 2 / 3 * len(whole.splitlines())


@pytest.mark.parametrize("name", RENAMED)
def test_a_name_that_readers_need_is_replaced(get, name):
    whole, renamed = get(name)[0], get(name, "renamed")[0]

    assert PREFIX + FILES[name].renames in renamed
    assert renamed.replace(PREFIX, "") == whole


@pytest.mark.parametrize("name", ZEROS)
def test_all_numbers_become_zero(get, name):
    whole, zeros = get(name)[0], get(name, "zeros")[0]

    assert zeros != whole
    assert len(zeros.splitlines()) == len(whole.splitlines())


@pytest.mark.parametrize("kind", ["short", "header-only", "renamed"])
def test_a_wrong_file_is_newer_than_the_right_one(get, kind):
    name = "hgnc.complete_set"
    headers = [get(name, kind)[1], get(name)[1]]

    dates = [parsedate_to_datetime(each["Last-Modified"]) for each in headers]
    assert dates[0] > dates[1]
    assert headers[0]["ETag"] != headers[1]["ETag"]


def test_zeros_in_a_table(get):
    whole = get("clinvar.gene_specific_summary")[0].splitlines()
    zeros = get("clinvar.gene_specific_summary", "zeros")[0].splitlines()

    place = whole[1].split("\t").index("Total_alleles")
    assert zeros[:2] == whole[:2]
    assert {line.split("\t")[place] for line in zeros[2:]} == {"0"}
    assert [line.split("\t")[:3] for line in zeros] == [line.split("\t")[:3] for line in whole]


def test_a_file_without_numbers_cannot_have_zeros(sandbox):
    with pytest.raises(BadFault, match="zeros is for"):
        sandbox.fault("hgnc.complete_set", "zeros")
