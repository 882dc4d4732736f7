from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.web import roles
from app.web.roles import Roles, Session

ADMIN, VIEWER = SecretStr("the-admins-token"), SecretStr("the-viewers-token")


def test_each_token_has_its_role() -> None:
    known = Roles(ADMIN, VIEWER)

    assert known.role_of("the-admins-token") == "admin"
    assert known.role_of("the-viewers-token") == "viewer"
    assert known.role_of("another-token") is None
    assert known.role_of("") is None


def test_a_token_that_both_roles_have_is_the_admins() -> None:
    assert Roles(ADMIN, ADMIN).role_of("the-admins-token") == "admin"


def test_without_tokens_nobody_can_log_in() -> None:
    closed = Roles(None, None)

    assert not closed.open
    assert closed.role_of("") is None


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_a_cookie_identifies_its_role(role) -> None:
    known = Roles(ADMIN, VIEWER)

    assert known.session(known.cookie(role)) == Session(role)


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_a_cookie_is_invalid_after_its_token_was_changed(role) -> None:
    cookie = Roles(ADMIN, VIEWER).cookie(role)

    assert Roles(SecretStr("a-new-token"), SecretStr("a-new-one-too")).session(cookie) is None
    assert Roles(None, None).session(cookie) is None


def test_a_cookie_expires(monkeypatch) -> None:
    known = Roles(ADMIN, VIEWER)
    cookie = known.cookie("admin")
    now = roles.time.time()
    clock = SimpleNamespace()
    monkeypatch.setattr(roles, "time", clock)

    clock.time = lambda: now + roles.LIFETIME["admin"] - 2
    assert known.session(cookie) is not None
    clock.time = lambda: now + roles.LIFETIME["admin"] + 1
    assert known.session(cookie) is None


def test_no_changed_character_of_a_cookie_is_accepted() -> None:
    known = Roles(ADMIN, VIEWER)
    cookie = known.cookie("viewer")

    for at in range(len(cookie)):
        other = "A" if cookie[at] != "A" else "B"
        assert known.session(cookie[:at] + other + cookie[at + 1 :]) is None


def test_a_viewers_cookie_cannot_be_made_an_admins() -> None:
    known = Roles(ADMIN, VIEWER)

    assert known.session(known.cookie("viewer").replace("viewer", "admin", 1)) is None


@given(st.text())
def test_no_text_but_a_cookie_is_a_session(text) -> None:
    assert Roles(ADMIN, VIEWER).session(text) is None


def test_only_an_unchanged_sealed_text_is_opened() -> None:
    known, admin, viewer = Roles(ADMIN, VIEWER), Session("admin"), Session("viewer")
    sealed = known.sealed(admin, "3 cancelled")

    assert known.opened(admin, sealed) == "3 cancelled"
    for other in (f"1{sealed}", sealed[:-1], "3 cancelled", "", "."):
        assert known.opened(admin, other) == ""
    assert known.opened(viewer, sealed) == ""


def test_no_sealed_text_is_a_session() -> None:
    known = Roles(ADMIN, VIEWER)
    content = known.cookie("admin").rpartition(".")[0]

    assert known.session(known.sealed(Session("admin"), content)) is None
