"""The illustrative catalogues."""

from kpass_vc.demo import catalogues

REAL = {
    "sobona",
    "handelsradet",
    "proteko",
    "skelleftea-kraft",
    "skelleftea-kommun",
    "arbetsformedlingen",
}


def test_there_are_six_catalogues_with_63_definitions_and_23_parts_at_skelleftea_kraft() -> None:
    found = catalogues()

    assert len(found) == 6
    codes = [item["code"] for catalogue in found for item in catalogue["definitions"]]
    assert len(codes) == len(set(codes)) == 63
    assert len([code for code in codes if code.startswith("SKR-DT-")]) == 24


def test_everything_is_marked_illustrative() -> None:
    for catalogue in catalogues():
        assert catalogue["illustrative"] is True
        assert all(definition["illustrative"] is True for definition in catalogue["definitions"])


def test_every_organisation_name_says_that_it_is_an_example_or_invented() -> None:
    for catalogue in catalogues():
        for organisation in catalogue["organisations"]:
            real = organisation["id"] in REAL
            swedish, english = (
                ("(exempel)", "(example)") if real else ("(påhittad)", "(fictitious)")
            )
            assert organisation["name"]["sv"].endswith(swedish)
            assert organisation["name"]["en"].endswith(english)


def test_every_owner_and_issuer_is_among_the_organisations_of_its_catalogue() -> None:
    for catalogue in catalogues():
        known = {organisation["id"] for organisation in catalogue["organisations"]}
        for definition in catalogue["definitions"]:
            assert {definition["owner"], *definition["authorised_issuers"]} <= known


def test_an_organisation_is_the_same_wherever_it_stands() -> None:
    seen: dict[str, object] = {}
    for catalogue in catalogues():
        for organisation in catalogue["organisations"]:
            assert seen.setdefault(organisation["id"], organisation) == organisation


def test_addresses_are_of_the_reserved_domain_and_each_organisations_own() -> None:
    urls = []
    for catalogue in catalogues():
        for organisation in catalogue["organisations"]:
            domain = organisation["url"].removeprefix("https://").removesuffix("/")
            assert domain.endswith(".example")
            assert organisation["email"].endswith(f"@{domain}")
            urls.append(organisation["url"])
    assert len(urls) == len(set(urls))
