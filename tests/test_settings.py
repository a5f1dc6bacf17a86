"""Settings: what they show of themselves."""

from kpass_vc.settings import Settings


def test_settings_do_not_show_the_password_of_the_database() -> None:
    settings = Settings.read({"KPASS_DATABASE_URL": "postgresql://kpass:hemligt@db.example/kpass"})

    assert settings.database_url.endswith("@db.example/kpass")
    assert "hemligt" not in repr(settings)
