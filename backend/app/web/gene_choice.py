"""The choices in the table of genes: columns, filters and order. The URL contains them."""

import re
import shlex
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from app.annotation.data.export.planning import ExportRequest
from app.annotation.data.gene_filter import STATES
from app.annotation.data.gene_order import IMPORTED
from app.api.parameters import given_names
from app.core.errors import WrongUse

_Text = Annotated[str, Field(max_length=500)]

_STATE = re.compile(rf"([a-z0-9_-]+)\.state=({'|'.join(STATES)})")

IN_ORDER_OF_IMPORT = str(IMPORTED.by)
"""The default order, which URLs omit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen genes and columns, with the parameter names of the API, exports and commands.

    Attributes:
        fields: the names of the fields that are columns; empty for the default ones.
        where: the conditions.
        prefix: the prefix of the symbol.
        genes: the name of a list.
        order: the order of the genes.
        as_of: a day or a time.
        snapshot: the name of a snapshot.
    """

    fields: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    prefix: str = ""
    genes: str = ""
    order: str = IN_ORDER_OF_IMPORT
    as_of: str = ""
    snapshot: str = ""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of a URL, which are those of the API."""
        single = {
            "fields": ",".join(self.fields),
            "prefix": self.prefix,
            "list": self.genes,
            "order": "" if self.order == IN_ORDER_OF_IMPORT else self.order,
            "as_of": self.as_of,
            "snapshot": self.snapshot,
        }
        found = [(name, value) for name, value in single.items() if value]
        return [*found, *(("where", each) for each in self.where)]

    def query(self, **more: object) -> str:
        """Return the query string of a URL; empty without parameters.

        Args:
            more: further parameters. Those with the value None are omitted.
        """
        others = [(name, str(value)) for name, value in more.items() if value is not None]
        both = self.parameters + others
        return f"?{urlencode(both, safe=',:')}" if both else ""

    @property
    def moment(self) -> str:
        """The query string of the moment; empty for now."""
        only = {"as_of": self.as_of, "snapshot": self.snapshot}
        given = {name: value for name, value in only.items() if value}
        return f"?{urlencode(given)}" if given else ""

    @property
    def filters(self) -> bool:
        """Whether the genes are filtered."""
        return bool(self.where or self.prefix or self.genes or self.moment)

    def ordered(self, by: str) -> "Choice":
        """Return the choice with another order."""
        return replace(self, order=by)

    @property
    def options(self) -> str:
        """The equivalent options of ``just export``."""
        # with =, because an order may begin with a minus
        pairs = (f"--{name.replace('_', '-')}={value}" for name, value in self.parameters)
        return "".join(f" {shlex.quote(pair)}" for pair in pairs)

    def export_request(self, format_name: str) -> ExportRequest:
        """Return the equivalent request for an export."""
        return ExportRequest(
            format=format_name,
            fields=self.fields,
            genes=self.genes or None,
            prefix=self.prefix or None,
            where=self.where,
            order=self.order,
            as_of=self.as_of or None,
            snapshot=self.snapshot or None,
        )


@dataclass(frozen=True, slots=True)
class State:
    """A condition on the state of a source's answer, which has fields of its own in the form."""

    source: str
    state: str
    others: list[str]


class Typed(BaseModel):
    """The parameters of the form or the URL. Empty fields are ignored."""

    fields: Annotated[list[str], Field(max_length=1_000)] = []
    where: Annotated[list[str], Field(max_length=100)] = []
    prefix: _Text = ""
    genes: Annotated[str, Field(max_length=500, alias="list")] = ""
    source: _Text = ""
    state: _Text = ""
    order: _Text = ""
    as_of: _Text = ""
    snapshot: _Text = ""

    @property
    def is_short(self) -> bool:
        """Whether the parameters have the short form of URLs, not that of a submitted form."""
        values = [getattr(self, name) for name in self.model_fields_set]
        has_empty = "" in [*values, *self.where, *self.fields]
        return not (has_empty or len(self.fields) > 1 or self.state)

    @property
    def choice(self) -> Choice:
        """The choice.

        Raises:
            WrongUse: a source is given without a state, or the other way round.
        """
        where = [each for each in self.where if each.strip()]
        if self.source and self.state:
            where.insert(0, f"{self.source}.state={self.state}")
        elif self.source or self.state:
            given, missing = ("source", "state") if self.source else ("state", "source")
            raise WrongUse(
                f"{given} is given without {missing}",
                allowed=f"both; a state is one of {', '.join(STATES)}",
            )
        return Choice(
            tuple(given_names(self.fields)),
            tuple(dict.fromkeys(where)),
            self.prefix.strip(),
            self.genes,
            self.order or IN_ORDER_OF_IMPORT,
            self.as_of.strip(),
            self.snapshot,
        )

    @property
    def shown_state(self) -> State:
        """The state that the form shows."""
        where = [each for each in self.where if each.strip()]
        if self.source or self.state:
            return State(self.source, self.state, where)
        for each in where:
            if found := _STATE.fullmatch(each):
                return State(found[1], found[2], [other for other in where if other != each])
        return State("", "", where)
