"""The profiles: `badge` for the product's own pages and API, `standard` for the W3C's interfaces.

Where the W3C's test suites and the needs of an employer disagree, the profile decides. `standard` does what
the specifications say: a credential may be signed by another than its issuer, and may define terms of its
own. `badge` demands that the issuer signed, with terms that everybody knows, and that what is bound is there.
"""

from typing import Final

from kpass_vc.verification.authority import check_authorization
from kpass_vc.verification.badge import check_achievement, check_definition
from kpass_vc.verification.case import Profile
from kpass_vc.verification.document import (
    check_contexts,
    check_data_model,
    check_dates,
    check_defined,
    check_structure,
    check_terms,
)
from kpass_vc.verification.endorsement import check_endorsements
from kpass_vc.verification.proofs import check_did, check_key, check_proof
from kpass_vc.verification.reading import check_reading
from kpass_vc.verification.status import check_status

BADGE: Final = Profile(
    "badge",
    {
        "contexts": check_contexts,
        "structure": check_structure,
        "terms": check_terms,
        "reading": check_reading,
        "did": check_did,
        "key": check_key,
        "proof": check_proof,
        "dates": check_dates,
        "status": check_status,
        "definition": check_definition,
        "achievement": check_achievement,
        "authorization": check_authorization,
        "endorsements": check_endorsements,
    },
    inline_contexts=False,
    binds_issuer=True,
    every_proof=False,
    demands_claims=True,
)

STANDARD: Final = Profile(
    "standard",
    {
        "structure": check_data_model,
        "terms": check_defined,
        "did": check_did,
        "key": check_key,
        "proof": check_proof,
        "dates": check_dates,
        "status": check_status,
    },
    inline_contexts=True,
    binds_issuer=False,
    every_proof=True,
    demands_claims=False,
)

PROFILES: Final = {profile.name: profile for profile in (BADGE, STANDARD)}
