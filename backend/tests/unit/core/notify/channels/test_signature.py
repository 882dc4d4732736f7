import pytest

from app.core.notify.channels import signature


def test_the_signature_is_that_of_the_example_in_the_libraries_of_standard_webhooks() -> None:
    key = signature.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature.headers(
        (key,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_replaced_both_sign() -> None:
    keys = tuple(bytes([each]) * 24 for each in (1, 2))
    both = signature.headers(keys, "a", 1, b"{}")["webhook-signature"].split(" ")
    alone = [signature.headers((key,), "a", 1, b"{}")["webhook-signature"] for key in keys]
    assert both == alone


def test_without_a_secret_there_is_an_id_and_no_signature() -> None:
    assert signature.headers((), "a", 1, b"") == {"webhook-id": "a", "webhook-timestamp": "1"}


@pytest.mark.parametrize(
    "secret",
    [
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_no base64!",
        "whsec_" + "A" * 88,
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_a_secret_of_another_form_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 random bytes") as caught:
        signature.key_of(secret)
    assert secret.removeprefix("whsec_")[:5] not in str(caught.value) or secret == "whsec_"
