"""Conditions on answers: ``clinvar.germline.pathogenic>=10``.

A condition is a field, an operator and a value. It is parsed, checked against the declared fields,
and becomes an SQL expression with bound parameters. `parsing` parses conditions, `values` parses
their values, `predicates` builds comparisons of stored values, and `pseudo_fields` has fields of
the answer itself. The reference page "Conditions" says what a condition means.
"""

from app.annotation.data.conditions.parsing import (
    FORM,
    MAX_CONDITIONS,
    Condition,
    operators_of,
    parse_condition,
    parse_conditions,
    satisfied,
)
from app.annotation.data.conditions.pseudo_fields import PSEUDO_FIELDS

__all__ = [
    "FORM",
    "MAX_CONDITIONS",
    "PSEUDO_FIELDS",
    "Condition",
    "operators_of",
    "parse_condition",
    "parse_conditions",
    "satisfied",
]
