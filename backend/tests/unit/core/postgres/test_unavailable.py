from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DataError, InternalError, OperationalError

from app.core.postgres.unavailable import is_data_error, is_unavailable, waiting_for


def refused(state: str, kind: Any = OperationalError) -> Exception:
    """What SQLAlchemy raises for a refusal with this SQLSTATE."""
    error: Exception = kind("SELECT", {}, errors.lookup(state)("refused"))
    return error


@pytest.mark.parametrize(
    "state",
    ["08006", "08P01", "53100", "53200", "53300", "57P01", "57P03", "58030", "40P01", "55P03"],
)
def test_an_outage_is_waited_for(state: str) -> None:
    assert is_unavailable(refused(state))
    assert is_unavailable(errors.lookup(state)("refused"))
    assert not is_data_error(refused(state))


@pytest.mark.parametrize("state", ["25006", "25P03"])
def test_what_psycopg_calls_internal_may_be_an_outage(state: str) -> None:
    assert is_unavailable(refused(state, InternalError))


def test_a_connection_that_is_gone_has_no_state_and_is_waited_for() -> None:
    assert is_unavailable(psycopg.OperationalError("the connection is closed"))
    assert is_unavailable(OperationalError("SELECT", {}, Exception("server closed the connection")))


@pytest.mark.parametrize("state", ["54000", "57014", "XX000", "25P02"])
def test_what_would_be_refused_for_ever_is_no_outage(state: str) -> None:
    assert not is_unavailable(refused(state))
    assert not is_unavailable(refused(state, InternalError))


def test_values_that_cannot_be_held_are_the_faults_of_the_data() -> None:
    assert is_data_error(refused("54000"))
    assert is_data_error(refused("22P05", DataError))
    assert is_data_error(DataError("INSERT", {}, psycopg.DataError("cannot contain NUL")))
    assert not is_data_error(refused("XX000"))


def test_the_reason_names_what_an_operator_can_mend() -> None:
    assert waiting_for(refused("53100"))[0] == "postgresql: no space left on its disk"
    assert waiting_for(psycopg.OperationalError("refused")) == ("postgresql", 1.0)
