"""NCBI E-utilities for ClinVar: esearch, esummary and einfo, in JSON."""

import asyncio
from array import array
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from sandbox.call import Call, Reply, as_json
from sandbox.clinvar.history import Found, History
from sandbox.clinvar.summaries import record
from sandbox.clinvar.terms import Clause, UnsupportedTerm, parse
from sandbox.clinvar.variants import Variants
from sandbox.faults import Fault

DEFAULT_FOUND = 20
MAX_FOUND = 10_000
MAX_SUMMARIES = 500
MAX_URL = 4_000

# The number of records generated before other tasks run. They take under a millisecond, so that the
# arrival of other requests is timed exactly.
_TURN = 40


class _Asked(NamedTuple):
    """The subject of an esummary request: ids, or the refusal."""

    ids: Sequence[int] = ()
    page: Hashable | None = None
    refusal: Reply | None = None


class Eutils:
    """Answers of eutils.ncbi.nlm.nih.gov for db=clinvar."""

    def __init__(self, variants: Variants) -> None:
        self._variants = variants
        self._catalogue = variants.catalogue
        self.history = History()

    async def einfo(self, call: Call) -> Reply:
        """The database's build and size."""
        call.meet_fault(lambda _: False)
        if refusal := _refuse(call):
            return refusal
        if call.params.get("db") != "clinvar":
            return _result("einfo", ERROR=_wrong_db(call))
        return _result(
            "einfo",
            dbinfo=[
                {
                    "dbname": "clinvar",
                    "menuname": "ClinVar",
                    "description": "ClinVar Database",
                    "dbbuild": "Build251102-0125.1",
                    "count": str(len(self._variants)),
                    "lastupdate": "2025/11/02 04:57",
                }
            ],
        )

    async def esearch(self, call: Call) -> Reply:
        """`esearch`: the ids of the variants of any gene in the term."""
        term = call.params.get("term", "")
        try:
            clauses = parse(term) if term else []
        except UnsupportedTerm as error:
            return _result(
                "esearch", ERROR=f"Search Backend failed: the sandbox cannot evaluate {error}"
            )
        symbols = {clause.value.upper() for clause in clauses}
        call.meet_fault(lambda gene: gene.upper() in symbols)
        if refusal := _refuse(call):
            return refusal
        if call.params.get("db") != "clinvar":
            return _result("esearch", ERROR=_wrong_db(call))
        if not clauses:
            return _result("esearch", ERROR="Empty term and query_key - nothing todo")
        each = [self._ids(clause) for clause in clauses]
        ids = array("I", sorted(set().union(*each), reverse=True))
        start = _number(call, "retstart", 0)
        page = ids[start : start + min(_number(call, "retmax", DEFAULT_FOUND), MAX_FOUND)]
        result: dict[str, Any] = {
            "count": str(len(ids) + (7 if call.spoilt_by("wrong-count") else 0)),
            "retmax": str(len(page)),
            "retstart": str(start),
        }
        if call.params.get("usehistory") == "y":
            web_env, key = self.history.keep(Found(term, ids), call.params.get("WebEnv"))
            result |= {"querykey": str(key), "webenv": web_env}
        result |= {"idlist": [str(number) for number in page], **_translation(clauses, each, term)}
        return _result("esearch", genes=sorted(symbols) if start == 0 else (), **result)

    def _ids(self, clause: Clause) -> list[int]:
        by = self._catalogue.by_entrez_id if clause.by_id else self._catalogue.by_symbol
        gene = by.get(clause.value.upper())
        return [*self._variants.ids_of(gene), *self._variants.haplotypes_of(gene)] if gene else []

    async def esummary(self, call: Call) -> Reply:
        """`esummary`: the records of some ids, or a page of a stored result."""
        asked = self._asked(call)
        call.meet_fault(lambda gene: self._concerns(asked.ids, gene))
        if refusal := _refuse(call):
            return refusal
        if call.params.get("db") != "clinvar":
            return _summary_error(_wrong_db(call))
        if asked.refusal is not None:
            return asked.refusal
        if len(asked.ids) > MAX_SUMMARIES:
            text = (
                f"Too many UIDs in request. Maximum number of UIDs is {MAX_SUMMARIES}"
                " for JSON format output."
            )
            return Reply(as_json({**_header("esummary"), "error": text}))
        body = await self._summaries(asked.ids, call)
        return Reply(body, page=asked.page, records=len(asked.ids))

    def _asked(self, call: Call) -> _Asked:
        web_env, wanted = call.params.get("WebEnv"), call.params.get("id", "")
        if not web_env or wanted:
            texts = [text.strip() for text in wanted.split(",") if text.strip()]
            if not texts:
                return _Asked(refusal=_summary_error("Empty id list - nothing todo"))
            if bad := next((text for text in texts if not text.isdecimal()), None):
                error = f"Invalid uid {bad} at position= {texts.index(bad)}"
                body = {**_header("esummary"), "error": error, "result": {"uids": []}}
                return _Asked(refusal=Reply(as_json(body)))
            ids = list(dict.fromkeys(map(int, texts)))
            return _Asked(ids, tuple(ids))
        query_key = call.params.get("query_key", "1")
        found = self.history.get(web_env, query_key)
        if found is None:
            return _Asked(refusal=_summary_error(f"Unable to obtain query #{query_key}"))
        start = _number(call, "retstart", 0)
        # Without retmax, all remaining records are requested; NCBI refuses too many of them.
        most = min(_number(call, "retmax", MAX_FOUND), MAX_FOUND)
        page = found.ids[start : start + most]
        if not page:
            return _Asked(refusal=_summary_error("Empty result - nothing todo"))
        return _Asked(page, (found.term, start))

    async def _summaries(self, ids: Sequence[int], call: Call) -> bytes:
        broken = self._victim(ids, call.spoilt_by("uid-error"))
        missing = self._victim(ids, call.spoilt_by("wrong-count"))
        uids = ",".join([f'"{number}"' for number in ids if number != missing])
        parts = [f'{{"header":{{"type":"esummary","version":"0.3"}},"result":{{"uids":[{uids}]']
        by_id, known = self._variants.by_id, self._variants.known
        for place, number in enumerate(ids):
            if number == missing:
                continue
            if number == broken or not known(number):
                parts.append(
                    f'"{number}":{{"uid":"{number}","error":"cannot get document summary"}}'
                )
            else:
                parts.append(record(by_id(number)))
            if place % _TURN == _TURN - 1:
                await asyncio.sleep(0)
        return (",".join(parts) + "}}").encode()

    def _concerns(self, ids: Sequence[int], symbol: str) -> bool:
        gene = self._catalogue.by_symbol.get(symbol.upper())
        return gene is not None and not set(self._variants.ids_of(gene)).isdisjoint(ids)

    def _victim(self, ids: Sequence[int], fault: Fault | None) -> int | None:
        if fault is None:
            return None
        gene = self._catalogue.by_symbol.get((fault.gene or "").upper())
        if gene is None:
            return ids[0]
        own = set(self._variants.ids_of(gene))
        return next(number for number in ids if number in own)


def _translation(clauses: list[Clause], each: list[list[int]], term: str) -> dict[str, Any]:
    stack: list[Any] = []
    for place, (clause, ids) in enumerate(zip(clauses, each, strict=True)):
        stack.append(
            {"term": clause.text, "field": clause.field, "count": str(len(ids)), "explode": "N"}
        )
        if place:
            stack.append("OR")
    translation: dict[str, Any] = {
        "translationset": [],
        "translationstack": [*stack, "GROUP"],
        "querytranslation": term,
    }
    if missing := [clause.text for clause, ids in zip(clauses, each, strict=True) if not ids]:
        translation["errorlist"] = {"phrasesnotfound": missing, "fieldsnotfound": []}
        translation["warninglist"] = {
            "phrasesignored": [],
            "quotedphrasesnotfound": [],
            "outputmessages": ["No items found."] if len(missing) == len(clauses) else [],
        }
    return translation


def _refuse(call: Call) -> Reply | None:
    if call.method == "GET" and call.url_length > MAX_URL:
        page = b"<html><head><title>414 Request-URI Too Large</title></head></html>"
        return Reply(page, status=414, media_type="text/html")
    if call.params.get("retmode") != "json":
        text = b"The service answers XML here; the sandbox answers JSON only (retmode=json)"
        return Reply(text, status=501, media_type="text/plain")
    return None


def _number(call: Call, name: str, default: int) -> int:
    text = call.params.get(name, "")
    return int(text) if text.isdecimal() else default


def _header(kind: str) -> dict[str, Any]:
    return {"header": {"type": kind, "version": "0.3"}}


def _result(kind: str, *, genes: Sequence[str] = (), **fields: Any) -> Reply:
    return Reply(as_json({**_header(kind), f"{kind}result": fields}), genes=genes)


def _summary_error(text: str) -> Reply:
    return Reply(as_json({**_header("esummary"), "esummaryresult": [text]}))


def _wrong_db(call: Call) -> str:
    return f"Invalid db name specified: {call.params.get('db', '')}"
