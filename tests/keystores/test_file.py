"""The encrypted key files: modes, binding to their organisation, and no secret in sight."""

import json
import os
import pickle
from pathlib import Path

import pytest

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.multibase import base64url_decode, base64url_encode
from kpass_vc.errors import KeyRefused, Unavailable
from kpass_vc.keystores import KEY_STORES
from kpass_vc.keystores.file import FileKeyStore, require_private

KEK = b"\x11" * 32
OWNER = "organization-1"
SIGNING = {Algorithm.ED25519: 64, Algorithm.P256: 64, Algorithm.P384: 96, Algorithm.P521: 132}
"""The kinds of key that a store makes, and the bytes of their signatures."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    return keys


@pytest.fixture
def store(folder: Path) -> FileKeyStore:
    return FileKeyStore(folder, lambda: (KEK,))


def reopened(store: FileKeyStore, kek: bytes = KEK) -> FileKeyStore:
    return FileKeyStore(store.folder, lambda: (kek,))


def refusal(store: FileKeyStore, uri: str, organization_id: str = OWNER) -> str:
    with pytest.raises(Unavailable) as caught:
        store.signer(uri, organization_id=organization_id)
    assert caught.value.sentence("sv") != caught.value.sentence("en")
    return caught.value.rule


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_key_signs_after_the_store_is_opened_again(
    store: FileKeyStore, algorithm: Algorithm
) -> None:
    uri, public = store.generate(algorithm, organization_id=OWNER, key_id="k1")

    signer = reopened(store).signer(uri, organization_id=OWNER)

    assert uri == "file:k1"
    assert signer.public_key == public
    assert public.algorithm is algorithm
    public.verify(signer.sign(b"message"), b"message")
    assert len(signer.sign(b"message")) == SIGNING[algorithm]


def test_two_keys_are_never_the_same(store: FileKeyStore) -> None:
    keys = {
        store.generate(algorithm, organization_id=OWNER, key_id=f"{algorithm}{n}")[1]
        for n in range(3)
        for algorithm in SIGNING
    }

    assert len(keys) == 12


def test_the_file_is_ours_alone_and_holds_no_private_key_in_clear(store: FileKeyStore) -> None:
    uri, _ = store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    path = store.folder / "k1.key"
    signer = store.signer(uri, organization_id=OWNER)
    private = signer.key.private_bytes_raw()  # type: ignore[attr-defined]

    assert path.stat().st_mode & 0o777 == 0o600
    body = path.read_bytes()
    for form in (private, private.hex().encode(), base64url_encode(private).encode()):
        assert form not in body
    assert set(json.loads(body)) == {
        "version",
        "algorithm",
        "organization",
        "public",
        "nonce",
        "private",
    }


def test_neither_store_nor_signer_shows_a_secret(store: FileKeyStore) -> None:
    shown = []
    for algorithm in SIGNING:
        uri, _ = store.generate(algorithm, organization_id=OWNER, key_id=algorithm)
        signer = store.signer(uri, organization_id=OWNER)
        shown += [repr(signer), str(signer), f"{signer}"]
        key = signer.key  # type: ignore[attr-defined]
        secret = (
            key.private_bytes_raw()
            if algorithm is Algorithm.ED25519
            else key.private_numbers().private_value.to_bytes(66)
        )
        for text in shown:
            assert secret.hex() not in text
            assert repr(secret) not in text
            assert base64url_encode(secret) not in text
            assert "PrivateKey" not in text
        with pytest.raises(TypeError):
            pickle.dumps(signer)
    assert KEK.hex() not in repr(store)
    assert repr(KEK) not in repr(store) + str(store)


def test_a_file_moved_to_another_organisation_or_another_id_does_not_open(
    store: FileKeyStore,
) -> None:
    uri, _ = store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    (store.folder / "k2.key").write_bytes((store.folder / "k1.key").read_bytes())

    assert refusal(reopened(store), uri, "organization-2") == "key_sealed"
    assert refusal(reopened(store), "file:k2") == "key_sealed"
    reopened(store).signer(uri, organization_id=OWNER)


def test_a_signer_in_memory_is_not_handed_to_another_organisation(store: FileKeyStore) -> None:
    uri, _ = store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    store.signer(uri, organization_id=OWNER)

    assert refusal(store, uri, "organization-2") == "key_sealed"


def test_another_key_encryption_key_does_not_open_it(store: FileKeyStore) -> None:
    uri, _ = store.generate(Algorithm.P256, organization_id=OWNER, key_id="k1")

    assert refusal(reopened(store, b"\x12" * 32), uri) == "key_sealed"


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33, 64])
def test_a_key_encryption_key_has_256_bits(folder: Path, length: int) -> None:
    with pytest.raises(Unavailable) as caught:
        KEY_STORES["file"](folder, lambda: (bytes(length),))

    assert caught.value.rule == "kek_length"


def test_a_missing_file_is_said_to_be_missing(store: FileKeyStore) -> None:
    assert refusal(store, "file:nothing") == "key_missing"


@pytest.mark.parametrize("member", ["private", "nonce", "public", "algorithm"])
def test_a_file_with_one_member_changed_does_not_open(store: FileKeyStore, member: str) -> None:
    uri, _ = store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    _, other = store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k2")
    path = store.folder / "k1.key"
    content = json.loads(path.read_bytes())
    if member == "algorithm":
        content[member] = "P-256"
    elif member == "public":
        content[member] = other.multikey()
    else:
        data = bytearray(base64url_decode(content[member]))
        data[0] ^= 1
        content[member] = base64url_encode(bytes(data))
    path.write_text(json.dumps(content))

    assert refusal(reopened(store), uri) == "key_sealed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"{}",
        b"[]",
        b"null",
        b'{"nonce":"","private":"","algorithm":"Ed25519","public":""}',
        b'{"nonce":5,"private":5}',
        b"\xff",
    ],
)
def test_a_damaged_file_is_an_error_of_ours(store: FileKeyStore, body: bytes) -> None:
    (store.folder / "k1.key").write_bytes(body)

    assert refusal(store, "file:k1") == "key_sealed"


def test_a_key_file_is_never_written_over(store: FileKeyStore) -> None:
    store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    before = (store.folder / "k1.key").read_bytes()

    with pytest.raises(FileExistsError):
        store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")

    assert (store.folder / "k1.key").read_bytes() == before


def test_a_link_in_the_way_is_not_followed(store: FileKeyStore, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    (store.folder / "k1.key").symlink_to(target)

    with pytest.raises(OSError, match="k1"):
        store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")

    assert not target.exists()


def test_a_safe_folder_passes_the_check(store: FileKeyStore) -> None:
    store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")

    store.check()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o602, 0o611, 0o777])
def test_a_key_that_others_can_open_stops_the_start(store: FileKeyStore, mode: int) -> None:
    store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    (store.folder / "k1.key").chmod(mode)

    with pytest.raises(Unavailable) as caught:
        store.check()

    assert (caught.value.rule, caught.value.data["wanted"]) == ("open_to_others", "0600")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o770, 0o701, 0o777])
def test_a_folder_that_others_can_open_stops_the_start(store: FileKeyStore, mode: int) -> None:
    store.folder.chmod(mode)

    with pytest.raises(Unavailable) as caught:
        store.check()

    assert (caught.value.rule, caught.value.data["wanted"]) == ("open_to_others", "0700")


def test_a_link_to_a_key_or_to_the_folder_stops_the_start(
    store: FileKeyStore, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    linked.symlink_to(store.folder)
    with pytest.raises(Unavailable) as folder:
        FileKeyStore(linked, lambda: (KEK,)).check()
    assert folder.value.rule == "open_to_others"

    store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    (store.folder / "k1.key").rename(tmp_path / "k1.key")
    (store.folder / "k1.key").symlink_to(tmp_path / "k1.key")
    with pytest.raises(Unavailable) as key:
        store.check()
    assert key.value.rule == "open_to_others"


def test_a_key_of_another_user_stops_the_start(store: FileKeyStore) -> None:
    store.generate(Algorithm.ED25519, organization_id=OWNER, key_id="k1")
    path = store.folder / "k1.key"

    with pytest.raises(Unavailable) as caught:
        require_private(path, owner=os.geteuid() + 1)

    assert caught.value.rule == "open_to_others"
    require_private(path, owner=os.geteuid())


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        FileKeyStore(tmp_path / "keys", lambda: (KEK,)).check()

    assert caught.value.rule == "keys_missing"


def test_a_secret_is_made_once_and_is_the_same_after_the_store_is_opened_again(
    store: FileKeyStore,
) -> None:
    store.make_secret("links")
    found = store.secret("links")

    store.make_secret("links")

    assert reopened(store).secret("links") == found
    assert len(found) == 32
    path = store.folder / "links.secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert base64url_encode(found) not in path.read_text()
    assert found not in path.read_bytes()


def test_a_secret_that_is_missing_damaged_or_under_another_name_is_refused(
    store: FileKeyStore,
) -> None:
    store.make_secret("links")
    (store.folder / "links.secret").rename(store.folder / "other.secret")

    for name, rule in (("links", "secret_missing"), ("other", "secret_sealed")):
        with pytest.raises(Unavailable) as caught:
            store.secret(name)
        assert caught.value.rule == rule
    for body in (b"", b"[]", b"{}", b'{"nonce": 1, "private": 2}', b"\xff"):
        (store.folder / "links.secret").write_bytes(body)
        with pytest.raises(Unavailable) as caught:
            store.secret("links")
        assert caught.value.rule == "secret_sealed"


def test_another_key_encryption_key_does_not_open_a_secret(store: FileKeyStore) -> None:
    store.make_secret("links")

    with pytest.raises(Unavailable) as caught:
        reopened(store, b"\x22" * 32).secret("links")

    assert caught.value.rule == "secret_sealed"


def test_a_secret_that_others_can_read_stops_the_start(store: FileKeyStore) -> None:
    store.make_secret("links")
    (store.folder / "links.secret").chmod(0o644)

    with pytest.raises(Unavailable) as caught:
        store.check()

    assert caught.value.rule == "open_to_others"


def test_a_store_makes_no_rsa_key(store: FileKeyStore) -> None:
    with pytest.raises(KeyRefused):
        store.generate(Algorithm.RSA, organization_id=OWNER, key_id="k1")

    assert list(store.folder.iterdir()) == []
