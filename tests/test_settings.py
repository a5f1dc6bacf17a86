"""Settings: what they show of themselves."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from kpass_vc.errors import Unavailable
from kpass_vc.settings import Settings


def test_settings_do_not_show_the_password_of_the_database() -> None:
    settings = Settings.read({"KPASS_DATABASE_URL": "postgresql://kpass:hemligt@db.example/kpass"})

    assert settings.database_url.endswith("@db.example/kpass")
    assert "hemligt" not in repr(settings)


def test_the_password_of_the_database_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p/w@ö:%\n", "utf-8")
    given = {
        "KPASS_DATABASE_URL": "postgresql://kpass@db/kpass",
        "KPASS_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
    }

    url = make_url(Settings.read(given).database_url)

    assert (url.username, url.password, url.host) == ("kpass", "p/w@ö:%", "db")


@pytest.mark.parametrize(
    ("url", "file", "named"),
    [
        ("postgresql://kpass:known@db/kpass", "password", "KPASS_DATABASE_URL"),
        ("postgresql://db/kpass", "password", "KPASS_DATABASE_URL"),
        ("", "password", "KPASS_DATABASE_URL"),
        ("postgresql://kpass@db/kpass", "none", "KPASS_DATABASE_PASSWORD_FILE"),
    ],
)
def test_a_password_file_that_does_not_fit_is_named(
    tmp_path: Path, url: str, file: str, named: str
) -> None:
    (tmp_path / "password").write_text("secret")

    with pytest.raises(Unavailable, match=named) as found:
        Settings.read(
            {"KPASS_DATABASE_URL": url, "KPASS_DATABASE_PASSWORD_FILE": str(tmp_path / file)}
        )

    assert "known" not in str(found.value)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nx"])
def test_a_file_of_authorities_without_a_certificate_is_refused_at_the_start(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "ca.pem").write_bytes(content)

    with pytest.raises(Unavailable) as caught:
        Settings.read({"KPASS_CA_FILE": str(tmp_path / "ca.pem")})

    assert "KPASS_CA_FILE" in caught.value.sentence("sv")


def test_the_compiled_ways_are_on_unless_they_are_switched_off() -> None:
    assert Settings.read({}).fast
    assert Settings.read({"KPASS_FAST": "1"}).fast
    assert not Settings.read({"KPASS_FAST": "0"}).fast
    with pytest.raises(Unavailable, match="KPASS_FAST"):
        Settings.read({"KPASS_FAST": "no"})


PROVIDER = {
    "KPASS_OIDC_ISSUER": "https://login.region.example/realms/kpass",
    "KPASS_OIDC_CLIENT_ID": "kpass",
    "KPASS_OIDC_CLIENT_SECRET": "hemligt",
}


def test_a_provider_to_sign_in_with_is_known_by_its_name_and_shows_no_secret() -> None:
    found = Settings.read(PROVIDER | {"KPASS_OIDC_NAME": "Region Exempel"}).oidc

    assert found is not None
    assert (found.issuer, found.client_secret) == (PROVIDER["KPASS_OIDC_ISSUER"], "hemligt")
    assert found.name == "Region Exempel"
    assert "hemligt" not in repr(found)
    unnamed = Settings.read(PROVIDER).oidc
    assert unnamed is not None
    assert unnamed.name == "login.region.example"
    assert Settings.read({}).oidc is None


def test_the_secret_of_the_provider_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("ur fil\n", "utf-8")
    given = {"KPASS_OIDC_CLIENT_SECRET": "", "KPASS_OIDC_CLIENT_SECRET_FILE": f"{tmp_path}/secret"}

    found = Settings.read(PROVIDER | given).oidc

    assert found is not None
    assert found.client_secret == "ur fil"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"KPASS_OIDC_ISSUER": ""}, "KPASS_OIDC_ISSUER"),
        ({"KPASS_OIDC_ISSUER": "http://login.example"}, "KPASS_OIDC_ISSUER"),
        ({"KPASS_OIDC_ISSUER": "https://a@login.example"}, "KPASS_OIDC_ISSUER"),
        ({"KPASS_OIDC_ISSUER": "https://login.example/?x"}, "KPASS_OIDC_ISSUER"),
        ({"KPASS_OIDC_ISSUER": "https://login.example:x"}, "KPASS_OIDC_ISSUER"),
        ({"KPASS_OIDC_CLIENT_ID": ""}, "KPASS_OIDC_CLIENT_ID"),
        ({"KPASS_OIDC_CLIENT_SECRET": ""}, "KPASS_OIDC_CLIENT_SECRET"),
        ({"KPASS_OIDC_CLIENT_SECRET": "hemligt\n"}, "KPASS_OIDC_CLIENT_SECRET"),
        ({"KPASS_OIDC_CLIENT_SECRET_FILE": "none"}, "KPASS_OIDC_CLIENT_SECRET_FILE"),
        (
            {"KPASS_OIDC_CLIENT_SECRET": "", "KPASS_OIDC_CLIENT_SECRET_FILE": "none"},
            "KPASS_OIDC_CLIENT_SECRET_FILE",
        ),
    ],
)
def test_what_does_not_fit_of_a_provider_is_named(changes: dict[str, str], named: str) -> None:
    with pytest.raises(Unavailable, match=named) as found:
        Settings.read(PROVIDER | changes)

    assert "hemligt" not in str(found.value)
