"""Public keys: which are taken, which never; signatures of the right form only."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kpass_vc.crypto.keys import Algorithm, PublicKey
from kpass_vc.crypto.multibase import multibase_encode
from kpass_vc.crypto.signers import new_private_key, signer_of
from kpass_vc.errors import KeyRefused, ProofInvalid

P = 2**255 - 19
ORDER_8 = (
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
)
# Every encoding that a lax reader takes for a point of order 1, 2, 4 or 8 of edwards25519:
# eight canonical ones, and six that are not (y not reduced, or x = 0 with its sign bit set)
SMALL_ORDER = [
    (y | sign << 255).to_bytes(32, "little")
    for y in (
        0,
        1,
        P - 1,
        P,
        P + 1,
        *(int.from_bytes(bytes.fromhex(text), "little") for text in ORDER_8),
    )
    for sign in (0, 1)
]


def ed25519_key(seed: bytes = b"\x07" * 32) -> tuple[ed25519.Ed25519PrivateKey, PublicKey]:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return private, PublicKey(Algorithm.ED25519, private.public_key().public_bytes_raw())


def p256_key(secret: int = 7) -> tuple[ec.EllipticCurvePrivateKey, PublicKey]:
    private = ec.derive_private_key(secret, ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return private, PublicKey(Algorithm.P256, point)


def test_there_are_fourteen_encodings_of_small_order() -> None:
    assert len(set(SMALL_ORDER)) == 14


@pytest.mark.parametrize("raw", SMALL_ORDER, ids=bytes.hex)
def test_a_key_of_small_order_is_refused_in_every_encoding(raw: bytes) -> None:
    # The library takes them all, which is why we look
    ed25519.Ed25519PublicKey.from_public_bytes(raw)

    with pytest.raises(KeyRefused) as direct:
        PublicKey(Algorithm.ED25519, raw)
    with pytest.raises(KeyRefused):
        PublicKey.from_multikey(multibase_encode(b"\xed\x01" + raw))

    assert direct.value.rule in {"small_order", "point"}


def test_a_key_with_a_part_of_small_order_is_refused() -> None:
    _, key = ed25519_key()
    y = int.from_bytes(key.raw, "little") & (2**255 - 1)
    # P plus the point of order 2, (0, -1), is (-x, -y): both signs of -y are of mixed order
    mixed = (P - y).to_bytes(32, "little")

    for raw in (mixed, mixed[:31] + bytes([mixed[31] | 0x80])):
        with pytest.raises(KeyRefused) as caught:
            PublicKey(Algorithm.ED25519, raw)
        assert caught.value.rule == "small_order"


def test_bytes_that_are_no_point_of_edwards25519_are_refused() -> None:
    # Half of all y are on no point: x² = (y² - 1) / (d y² + 1) must be a square
    d = -121665 * pow(121666, P - 2, P) % P
    off = [
        y
        for y in range(2, 40)
        if pow((y * y - 1) * pow(d * y * y + 1, P - 2, P) % P, (P - 1) // 2, P) == P - 1
    ]

    assert len(off) > 10
    for y in off:
        with pytest.raises(KeyRefused) as caught:
            PublicKey(Algorithm.ED25519, y.to_bytes(32, "little"))
        assert caught.value.rule == "point"


def test_a_point_that_is_not_on_p_256_is_refused() -> None:
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    x = next(x for x in range(1, 99) if pow(x**3 - 3 * x + b, (prime - 1) // 2, prime) != 1)

    with pytest.raises(KeyRefused) as caught:
        PublicKey(Algorithm.P256, b"\x02" + x.to_bytes(32))

    assert caught.value.rule == "point"


@pytest.mark.parametrize("head", [0, 1, 4, 5, 0x82])
def test_a_p_256_key_is_a_compressed_point(head: int) -> None:
    _, key = p256_key()

    with pytest.raises(KeyRefused):
        PublicKey(Algorithm.P256, bytes([head]) + key.raw[1:])


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [(Algorithm.ED25519, n) for n in (0, 31, 33, 64)]
    + [(Algorithm.P256, n) for n in (0, 32, 34, 65)],
)
def test_a_key_of_another_length_is_refused(algorithm: Algorithm, length: int) -> None:
    with pytest.raises(KeyRefused) as caught:
        PublicKey(algorithm, b"\x02" * length)

    assert (caught.value.rule, caught.value.data["found"]) == ("length", length)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (multibase_encode(b"\xec\x01" + ed25519_key()[1].raw), "kind"),  # X25519
        (multibase_encode(b"\xe7\x01" + p256_key()[1].raw), "kind"),  # secp256k1
        (multibase_encode(b"\x81\x24" + b"\x02" * 49), "point"),
        (multibase_encode(b"\x80\x26" + b"\x07" * 32), "kind"),  # an Ed25519 private key
        (multibase_encode(ed25519_key()[1].raw), "kind"),
        (multibase_encode(b"\xed\x01" + ed25519_key()[1].raw[:-1]), "length"),
        (multibase_encode(b"\xed\x01" + ed25519_key()[1].raw + b"\0"), "length"),
        (multibase_encode(b"\xed"), "kind"),
        ("", "multikey"),
        ("z", "kind"),
        (ed25519_key()[1].multikey()[1:], "multikey"),
        ("u7QEB", "multikey"),
        (ed25519_key()[1].multikey() + "0", "multikey"),
        (ed25519_key()[1].multikey() + "\n", "multikey"),
    ],
)
def test_a_multikey_of_another_kind_or_form_is_refused(text: str, rule: str) -> None:
    with pytest.raises(KeyRefused) as caught:
        PublicKey.from_multikey(text)

    assert caught.value.rule == rule


def test_a_multikey_says_its_kind_by_its_first_letters_and_reads_back() -> None:
    ed, p256 = ed25519_key()[1], p256_key()[1]

    assert ed.multikey().startswith("z6Mk")
    assert p256.multikey().startswith("zDna")
    assert PublicKey.from_multikey(ed.multikey()) == ed
    assert PublicKey.from_multikey(p256.multikey()) == p256


def test_the_coordinates_of_a_p_256_key_are_those_of_the_point() -> None:
    private, key = p256_key()
    numbers = private.public_key().public_numbers()

    assert key.coordinates() == (numbers.x.to_bytes(32), numbers.y.to_bytes(32))


def test_ed25519_test_1_of_rfc_8032_holds() -> None:
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    key = PublicKey(Algorithm.ED25519, raw)

    key.verify(signature, b"")
    with pytest.raises(ProofInvalid):
        key.verify(signature, b"\0")


def test_a_signature_with_s_not_reduced_is_refused() -> None:
    private, key = ed25519_key()
    signature = private.sign(b"message")
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order

    with pytest.raises(ProofInvalid):
        key.verify(signature[:32] + s.to_bytes(32, "little"), b"message")


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    private, key = ed25519_key()
    signer, p256 = p256_key()
    r, s = utils.decode_dss_signature(signer.sign(b"message", ec.ECDSA(SHA256())))
    for public, signature in (
        (key, private.sign(b"message")),
        (p256, r.to_bytes(32) + s.to_bytes(32)),
    ):
        public.verify(signature, b"message")

        with pytest.raises(ProofInvalid) as caught:
            public.verify((signature * 2)[:length], b"message")
        assert caught.value.rule == "signature"


def test_an_ecdsa_signature_in_der_or_of_zeros_is_refused() -> None:
    signer, key = p256_key()

    for signature in (signer.sign(b"message", ec.ECDSA(SHA256())), bytes(64), b"\xff" * 64):
        with pytest.raises(ProofInvalid):
            key.verify(signature, b"message")


@pytest.mark.parametrize("algorithm", [Algorithm.P256, Algorithm.P384, Algorithm.P521])
def test_a_signature_with_a_zero_put_before_its_second_number_does_not_hold(
    algorithm: Algorithm,
) -> None:
    signer = signer_of(algorithm, new_private_key(algorithm))
    signature = signer.sign(b"message")
    half = len(signature) // 2
    longer = signature[:half] + b"\0" + signature[half:]

    signer.public_key.verify(signature, b"message")
    with pytest.raises(ProofInvalid):
        signer.public_key.verify(longer, b"message")
