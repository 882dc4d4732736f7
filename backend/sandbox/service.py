"""The base class of imitated services. `docs/how-to/add-a-source.md` shows how to add one."""

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
    """An endpoint whose answers a function makes.

    Attributes:
        name: the name for statistics and faults, such as `hgnc.fetch`.
        path: the path below the sandbox's address.
        answer: the function that makes the answer.
        budget: the name of the rate limit that requests count towards.
        methods: the HTTP methods, separated by blanks.
        miscounts: whether it can omit a gene (the fault `wrong-count`).
        has_uids: whether it can replace one record by an error (the fault `uid-error`).
        error_body: the error that the service sends with status 200 (the fault `error-body`).
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
    """A file that is generated at its first request.

    Attributes:
        name: the name for statistics and faults, such as `hgnc.complete_set`.
        path: the path below the sandbox's address. The last part is the file's name.
        write: the function that writes the file to a path. Its genes are all genes of the
            catalogue, fewer for the fault `short`, and none for the fault `header-only`.
        given: a file to serve instead, or None.
        renames: a name in the file that the fault `renamed` changes, such as a column that readers
            need.
        numbers: the columns, or the fields of XML or JSON, in which the fault `zeros` writes 0. A
            column of a table without a header is identified by its number, such as "3" for the
            third.
        separator: the separator of columns.
        daily: the number of downloads a day that the service allows each address. `HEAD` requests
            and 304 responses do not count.
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
        addresses: the settings of its addresses, with the paths below the sandbox's address.
        rates: the requests a second of the real service, by budget. A budget `x_with_key` counts
            requests that have a key.
        rate_settings: the settings of other rates, with their budgets. Each is also a command-line
            option: `NCBI_RATE` is `--ncbi-rate`.
    """

    name: ClassVar[str]
    addresses: ClassVar[Mapping[str, str]]
    rates: ClassVar[Mapping[str, float]] = {}
    rate_settings: ClassVar[Mapping[str, str]] = {}

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints."""
        return ()

    def files(self) -> Sequence[ServedFile]:
        """Return the files."""
        return ()

    def refuse(self, call: Call) -> Reply | None:
        """Return the refusal of an invalid request, which does not count towards the limit."""
        del call
        return None

    def client(self, budget: str, call: Call, address: str) -> tuple[str, str]:
        """Return the budget that a request counts towards, and the budget's owner."""
        del call
        return budget, address

    def rate_headers(self, budget: str, verdict: Verdict) -> dict[str, str]:
        """Return the headers of every answer that state the limit."""
        del budget, verdict
        return {}

    def too_many(
        self, budget: str, verdict: Verdict, client: str, seconds: float | None = None
    ) -> Reply:
        """Return a 429.

        Args:
            budget: the exhausted budget.
            verdict: the verdict with the limit and the wait.
            client: the owner of the budget.
            seconds: the wait to ask for; None means the wait of the verdict.
        """
        del client
        wait = f"{verdict.wait if seconds is None else seconds:.6f}"
        headers = {**self.rate_headers(budget, verdict), "Retry-After": wait}
        return Reply(b"Too Many Requests\n", 429, "text/plain", headers)

    def internal_error(self, client: str) -> Reply:
        """Return a 500 of an endpoint that answers in JSON."""
        del client
        return Reply(json.dumps({"error": "internal server error"}).encode(), 500)
