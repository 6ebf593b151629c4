"""Why a token is refused: fixed codes that may be shown, logged and counted."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "no_token",
    "too_large",
    "malformed",
    "header_not_allowed",
    "wrong_type",
    "algorithm_not_allowed",
    "no_key_id",
    "development_key",
    "unknown_key",
    "bad_signature",
    "claim_missing",
    "claim_invalid",
    "wrong_audience",
    "wrong_issuer",
    "expired",
    "not_yet_valid",
    "issued_in_future",
    "lives_too_long",
    "proof_of_possession",
    "identity_number",
    "no_role",
    "organisations_invalid",
    "security_level",
]


class TokenRefused(Exception):
    """A token that lets nobody in; ``reason`` holds nothing of it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
