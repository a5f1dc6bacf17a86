"""Passkeys (Web Authentication, level 3): what a browser is asked, and its answer; only this module knows webauthn.

A passkey is two things at once, the device and what unlocks it, so the user must be
verified; it is found by the device without a name being typed, so it must be discoverable.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from kpass_vc.errors import Malformed

CHALLENGE: Final = 32
"""Random bytes that a device signs."""


@dataclass(frozen=True)
class Place:
    """Where passkeys are made and used: the service's own origin, and the host that they are bound to."""

    host: str
    origin: str
    service: str


@dataclass(frozen=True)
class MadeKey:
    """A passkey that a device has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def options_to_make(
    place: Place,
    challenge: bytes,
    *,
    person_id: str,
    account: str,
    name: str,
    known: Sequence[bytes],
) -> dict[str, Any]:
    """What a browser is asked to make a passkey; devices that hold one of the `known` refuse."""
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=place.service,
        user_id=person_id.encode(),
        user_name=account,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return _as_json(options)


def made_key(place: Place, challenge: bytes, answer: str) -> MadeKey:
    """The passkey that the browser's answer holds; Malformed if it is no answer to this challenge, here."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError) as error:  # CBOR of any shape is a stranger's
        raise Malformed("passkey") from error
    return MadeKey(found.credential_id, found.credential_public_key, found.sign_count)


def options_to_use(place: Place, challenge: bytes) -> dict[str, Any]:
    """What a browser is asked to find a passkey for this place, and sign with it."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        challenge=challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _as_json(options)


def named_key(answer: str) -> bytes:
    """The id of the passkey that a browser's answer names; Malformed if it names none."""
    try:
        return base64url_to_bytes(cast("str", json.loads(answer)["rawId"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed("passkey") from error


def checked_use(
    place: Place, challenge: bytes, answer: str, *, public_key: bytes, sign_count: int
) -> int:
    """The counter of a passkey whose signature holds; Malformed for any other answer, or one that went back."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError) as error:
        raise Malformed("passkey") from error
    return found.new_sign_count


def _as_json(options: Any) -> dict[str, Any]:  # noqa: ANN401 - the library's own
    return cast("dict[str, Any]", json.loads(webauthn.options_to_json(options)))
