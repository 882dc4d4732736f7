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
def test_an_outage_makes_postgresql_unavailable(state: str) -> None:
    assert is_unavailable(refused(state))
    assert is_unavailable(errors.lookup(state)("refused"))
    assert not is_data_error(refused(state))


@pytest.mark.parametrize("state", ["25006", "25P03"])
def test_some_internal_errors_of_psycopg_are_outages(state: str) -> None:
    assert is_unavailable(refused(state, InternalError))


def test_a_lost_connection_has_no_sqlstate_and_is_an_outage() -> None:
    assert is_unavailable(psycopg.OperationalError("the connection is closed"))
    assert is_unavailable(OperationalError("SELECT", {}, Exception("server closed the connection")))


@pytest.mark.parametrize("state", ["54000", "57014", "XX000", "25P02"])
def test_an_error_that_would_come_again_is_not_an_outage(state: str) -> None:
    assert not is_unavailable(refused(state))
    assert not is_unavailable(refused(state, InternalError))


def test_a_value_that_postgresql_cannot_store_is_a_data_error() -> None:
    assert is_data_error(refused("54000"))
    assert is_data_error(refused("22P05", DataError))
    assert is_data_error(DataError("INSERT", {}, psycopg.DataError("cannot contain NUL")))
    assert not is_data_error(refused("XX000"))


def test_the_reason_for_waiting_shows_the_cause() -> None:
    assert waiting_for(refused("53100"))[0] == "postgresql: no space left on its disk"
    assert waiting_for(psycopg.OperationalError("refused")) == ("postgresql", 1.0)
