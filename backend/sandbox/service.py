"""The form of an imitated service. `docs/how-to/add-a-source.md` shows how to add one."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sandbox.call import Call, Handler, Reply
from sandbox.catalogue import Catalogue, Gene
from sandbox.limits import Verdict


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address that answers by calling a function.

    Attributes:
        name: for the statistics and the faults, such as `hgnc.fetch`.
        path: the path below the sandbox's address.
        answer: makes the answer.
        budget: the rate limit that a request counts to.
        methods: the methods of HTTP, separated by blanks.
        miscounts: whether it can leave out a gene (the fault `wrong-count`).
        has_uids: whether it can have an error in place of one record (the fault `uid-error`).
        error_body: what the service answers with status 200 when it fails (the fault `error-body`).
    """

    name: str
    path: str
    answer: Handler
    budget: str
    methods: str = "GET"
    miscounts: bool = False
    has_uids: bool = False
    error_body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class ServedFile:
    """A file that is written when it is first asked for.

    Attributes:
        name: for the statistics and the faults, such as `hgnc.complete_set`.
        path: the path below the sandbox's address. The last part is the file's name.
        write: writes the file to a path. It is given the genes that the file has: all genes of the
            catalogue, fewer for the fault `short`, and none for the fault `header-only`.
        given: a file to serve in its place, or None.
        renames: a name in the file that the fault `renamed` replaces, such as a column that every
            reader needs.
        numbers: the columns, or the fields of XML or JSON, in which the fault `zeros` writes 0. A
            column of a table without a header is given by its number, such as "3" for the third.
        separator: between two columns.
        daily: how often the service lets one address download the file in a day. A `HEAD` and a 304
            do not count.
    """

    name: str
    path: str
    write: Callable[[Path, Sequence[Gene]], None]
    given: Path | None = None
    renames: str | None = None
    numbers: Sequence[str] = ()
    separator: str = "\t"
    header: bool = True
    daily: int | None = None

    @property
    def file_name(self) -> str:
        """The file's name, without its folder."""
        return self.path.rpartition("/")[2]


class Service:
    """An imitated service. A subclass is registered in :mod:`sandbox.registry`.

    Attributes:
        name: the first part of its endpoints' names.
        addresses: the settings that point at it, with the path below the sandbox's address.
        rates: requests a second of the real service, by budget. A budget `x_with_key` counts
            requests that have a key.
        rate_settings: the settings that tell the project of another rate, with their budget. Each
            is also an option of the command line: `NCBI_RATE` is `--ncbi-rate`.
    """

    name: ClassVar[str]
    addresses: ClassVar[Mapping[str, str]]
    rates: ClassVar[Mapping[str, float]] = {}
    rate_settings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def endpoints(self) -> Sequence[Endpoint]:
        """Return what answers by calling a function."""
        return ()

    def files(self) -> Sequence[ServedFile]:
        """Return the files."""
        return ()

    def refuse(self, call: Call) -> Reply | None:
        """Return the refusal of a request that the service does not accept, before it counts."""
        del call
        return None

    def client(self, budget: str, call: Call, address: str) -> tuple[str, str]:
        """Return the budget that a request counts to, and who the budget belongs to."""
        del call
        return budget, address

    def rate_headers(self, budget: str, verdict: Verdict) -> dict[str, str]:
        """Return the headers of any answer that tell about the limit."""
        del budget, verdict
        return {}

    def too_many(
        self, budget: str, verdict: Verdict, client: str, seconds: float | None = None
    ) -> Reply:
        """Return a 429.

        Args:
            budget: that is exhausted.
            verdict: with the limit and the wait.
            client: who the budget belongs to.
            seconds: how long the client is asked to wait, in place of the verdict's.
        """
        del client
        wait = f"{verdict.wait if seconds is None else seconds:.6f}"
        headers = {**self.rate_headers(budget, verdict), "Retry-After": wait}
        return Reply(b"Too Many Requests\n", 429, "text/plain", headers)

    def internal_error(self, client: str) -> Reply:
        """Return a 500 of an endpoint that answers in JSON."""
        del client
        return Reply(json.dumps({"error": "internal server error"}).encode(), 500)
