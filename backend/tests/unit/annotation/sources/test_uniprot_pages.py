"""The collection of UniProt's pages in a file."""

import asyncio
import errno
import gzip
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app.annotation.settings import Settings
from app.annotation.sources.collected import Pieces
from app.annotation.sources.connector import Connector
from app.annotation.sources.uniprot.entries import COLUMNS, FIELDS
from app.annotation.sources.uniprot.source import UniProt, decode_page
from app.annotation.upstream import BadAnswer, Retries, UpstreamUnavailable
from app.core.errors import Wait

HEADER = "\t".join(COLUMNS)
ROWS = [
    f"Q0000{n}\tX{n}_HUMAN\tProtein {n}\tX{n}\t\t\t\t\t{100 + n}\tHGNC:{n + 1};\treviewed"
    for n in range(7)
]
TEXT = "".join(f"{line}\n" for line in (HEADER, *ROWS))
PAGE = 3

Change = Callable[[httpx.Response, httpx.Request], httpx.Response]


class Service:
    """UniProt with seven entries on three pages. ``change`` can change each of its answers."""

    def __init__(self) -> None:
        self.release = "2026_03"
        self.asked: list[str] = []
        self.change: Change = lambda response, _: response

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        assert params["query"] == "(organism_id:9606) AND (reviewed:true)"
        assert params["fields"] == ",".join(FIELDS)
        start = int(params.get("cursor", "0"))
        size = 1 if params["size"] == "1" else PAGE
        self.asked.append("release" if size == 1 else str(start))
        headers = {"X-UniProt-Release": self.release, "X-Total-Results": str(len(ROWS))}
        if start + size < len(ROWS):
            query = f"query=x&cursor={start + size}&size={size}"
            headers["Link"] = f'<https://rest.uniprot.org/uniprotkb/search?{query}>; rel="next"'
        text = "".join(f"{line}\n" for line in (HEADER, *ROWS[start : start + size]))
        return self.change(httpx.Response(200, headers=headers, text=text), request)


class OneTry(Connector):
    @property
    def retries(self) -> Retries:
        return Retries(refused=1, fault=1, cut=1, body=1)


class Unlimited:
    async def acquire(self, budget: str, rate: float) -> None:
        pass

    async def pause(self, budget: str, seconds: float) -> None:
        pass


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def source(service: Service, tmp_path: Path) -> Callable[[], UniProt]:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        cache_dir=tmp_path,
        uniprot_rest_url="https://mirror.example/uniprot",
        contact_email="me@example.org",
    )
    http = httpx.AsyncClient(transport=httpx.MockTransport(service))
    return lambda: UniProt(OneTry(settings, Unlimited(), http))


async def collected(source: UniProt) -> str:
    (download,) = await source.fetch()
    return gzip.decompress(download.path.read_bytes()).decode()


def files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*")]


def damage_notes(folder: Path) -> None:
    """Keep only the header of the gzip file."""
    (notes,) = folder.rglob("progress.gz")
    content = notes.read_bytes()
    notes.write_bytes(content[:10] + b"\xff" * (len(content) - 10))


def on_page(number: int, change: Callable[[httpx.Response], httpx.Response]) -> Change:
    def changed(response: httpx.Response, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        of = params["size"] != "1" and params.get("cursor", "0") == str(number * PAGE)
        return change(response) if of else response

    return changed


def with_headers(**headers: str | None) -> Callable[[httpx.Response], httpx.Response]:
    def change(response: httpx.Response) -> httpx.Response:
        for key, value in headers.items():
            name = key.replace("_", "-")
            response.headers.pop(name, None)
            if value is not None:
                response.headers[name] = value
        return response

    return change


def with_text(text: Callable[[str], str]) -> Callable[[httpx.Response], httpx.Response]:
    def change(response: httpx.Response) -> httpx.Response:
        kept = {key: response.headers[key] for key in response.headers if key[0] in "xl"}
        return httpx.Response(200, headers=kept, text=text(response.text))

    return change


async def test_all_pages_make_one_file_of_the_release(service, source) -> None:
    uniprot = source()
    assert await collected(uniprot) == TEXT
    (download,) = await uniprot.fetch()

    assert service.asked == ["release", "0", "3", "6"]
    assert uniprot.requests == 4
    assert (download.release, download.marker) == ("2026_03", "2026_03")
    assert download.address.startswith("https://mirror.example/uniprot/uniprotkb/search?query=")


async def test_the_file_is_collected_again_only_for_another_release(service, source) -> None:
    await collected(source())
    service.asked.clear()

    release = (await source().current())["file"]
    assert (release.name, release.marker) == ("2026_03", "2026_03")
    assert release.address.startswith("https://mirror.example/uniprot/uniprotkb/search?")
    assert await collected(source()) == TEXT
    assert service.asked == ["release", "release"]

    service.release = "2026_04"
    (download,) = await source().fetch()
    assert download.release == "2026_04"
    assert service.asked[2:] == ["release", "0", "3", "6"]


async def test_an_interrupted_collection_is_resumed(service, source) -> None:
    service.change = on_page(2, lambda _: httpx.Response(503))
    with pytest.raises(UpstreamUnavailable):
        await source().fetch()
    service.asked.clear()
    service.change = lambda response, _: response

    assert await collected(source()) == TEXT
    assert service.asked == ["release", "6"]


async def test_a_collection_of_another_release_starts_again(service, source) -> None:
    service.change = on_page(2, lambda _: httpx.Response(503))
    with pytest.raises(UpstreamUnavailable):
        await source().fetch()
    service.asked.clear()
    service.change = lambda response, _: response
    service.release = "2026_04"

    assert await collected(source()) == TEXT
    assert service.asked == ["release", "0", "3", "6"]


async def test_a_release_published_between_two_pages_is_collected_completely(
    service, source
) -> None:
    def comes_out(response: httpx.Response) -> httpx.Response:
        service.release = "2026_04"
        return with_headers(X_UniProt_Release="2026_04")(response)

    service.change = on_page(1, comes_out)
    (download,) = await source().fetch()

    assert download.release == "2026_04"
    assert service.asked == ["release", "0", "3", "0", "3", "6"]
    assert gzip.decompress(download.path.read_bytes()).decode() == TEXT


async def test_a_discarded_file_is_collected_again(service, source) -> None:
    (download,) = await source().fetch()
    await download.discard()
    service.asked.clear()

    assert await collected(source()) == TEXT
    assert service.asked == ["release", "0", "3", "6"]


async def test_a_full_disk_is_waited_for(service, source, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Pieces, "keep", full)
        with pytest.raises(Wait, match="disk"):
            await source().fetch()
    assert await collected(source()) == TEXT


async def test_a_collection_with_damaged_metadata_starts_again(
    service, source, tmp_path: Path
) -> None:
    service.change = on_page(1, lambda _: httpx.Response(503))
    with pytest.raises(Wait):
        await source().fetch()
    damage_notes(tmp_path)
    service.change = lambda response, _: response

    assert await collected(source()) == TEXT


async def test_only_one_of_two_processes_collects_the_file(service, source) -> None:
    first, second = await asyncio.gather(collected(source()), collected(source()))

    assert first == second == TEXT
    assert sorted(service.asked) == ["0", "3", "6", "release", "release"]


@pytest.mark.parametrize(
    "change",
    [
        # a page that is missing, repeated, or without a next page
        on_page(0, with_headers(Link=None)),
        on_page(1, with_headers(Link=None)),
        on_page(1, with_headers(Link='<https://x/?cursor=3>; rel="next"')),
        on_page(1, with_headers(Link='<https://x/?cursor=0>; rel="next"')),
        on_page(0, with_headers(Link='<https://x/?cursor=6>; rel="next"')),
        on_page(2, with_headers(Link='<https://x/?cursor=6>; rel="next"')),
        on_page(0, with_headers(Link='<https://x/?page=2>; rel="next"')),
        on_page(0, with_headers(Link="nonsense")),
        # headers
        on_page(1, with_headers(X_Total_Results=None)),
        on_page(1, with_headers(X_Total_Results="8")),
        on_page(1, with_headers(X_Total_Results="many")),
        on_page(1, with_headers(X_UniProt_Release=None)),
        on_page(1, with_headers(X_UniProt_Release="latest")),
        # bodies
        on_page(1, with_text(lambda text: text.rpartition("Q00005")[0])),
        on_page(1, with_text(lambda text: text.replace("reviewed\nQ00005", ""))),
        on_page(1, with_text(lambda text: text[:-2])),
        on_page(1, with_text(lambda text: text.partition("\n")[2])),
        on_page(1, with_text(lambda text: text.replace("Length", "Mass"))),
        on_page(1, with_text(lambda text: text.replace("103", "1O3"))),
        on_page(1, with_text(lambda text: f"{text}{ROWS[0]}\n")),
        on_page(1, with_text(lambda _: '{"url":"http://x","messages":["Invalid cursor"]}')),
        on_page(1, lambda _: httpx.Response(400, json={"messages": ["Invalid cursor"]})),
    ],
)
async def test_incomplete_pages_give_no_file(
    service, source, tmp_path: Path, change: Change
) -> None:
    service.change = change
    with pytest.raises(BadAnswer):
        await source().fetch()
    assert not [path for path in files(tmp_path) if path.endswith("uniprotkb.tsv.gz")]

    # nothing wrong was kept
    service.change = lambda response, _: response
    assert await collected(source()) == TEXT


def test_a_body_truncated_anywhere_is_not_a_page() -> None:
    text = "".join(f"{line}\n" for line in (HEADER, *ROWS[3:6]))
    headers = httpx.Headers({"X-UniProt-Release": "2026_03", "X-Total-Results": "3"})
    whole = decode_page(text.encode(), headers)
    for end in range(len(text) - 1):
        try:
            page = decode_page(text[:end].encode(), headers)
        except BadAnswer:
            continue
        # truncated between two rows: the number of rows reveals it
        assert page.rows == whole.rows[: len(page.rows)]
        assert len(page.rows) < page.total
