"""Issuing: what stands in a credential, and who may issue what."""

from tests.world import World, body_of, failed_checks


def test_what_is_issued_verifies_in_both_formats_and_languages(world: World) -> None:
    world.published_definition()

    issued = world.issued()

    for language in ("sv", "en"):
        for form in ("ldp_vc", "vc-jwt"):
            report = world.verified(body_of(issued, language, form))
            assert failed_checks(report) == []
            assert report.verified
