"""What is sent of an alert, and how it is signed: Standard Webhooks 1.0.0 (github.com/standard-webhooks), scheme v1.

A message says that there is an alert and where to read it, and nothing about whom: who receives it may be a chat or a
telephone that others see.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from serving.store.outbox import Delivery

WORKLIST = "/ui/worklist"
_FLAG = ("Et svar må ses av en kliniker i dag. Åpne arbeidslisten.",
         "An answer must be seen by a clinician today. Open the worklist.")  # fmt: skip
_RISK = ("Det er en ny person å ta kontakt med. Åpne arbeidslisten.",
         "There is one more person to contact. Open the worklist.")  # fmt: skip
TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {kind: dict(zip(("nb", "en"), texts, strict=True)) for kind, texts in
     {"safety_flag": _FLAG, "new": _RISK, "rising": _RISK}.items()}
)  # fmt: skip


def body(delivery: Delivery, language: str, public_url: str) -> bytes:
    """Return the JSON of a message: the same bytes at each attempt."""
    told: dict[str, Any] = {
        "type": "alert.raised",
        "timestamp": delivery.created_at.isoformat(),
        "data": {
            "alert_id": delivery.alert_id,
            "kind": delivery.kind,
            "team": delivery.team,
            "night": delivery.night.isoformat(),
            "text": TEXTS[delivery.kind][language],
            "worklist": f"{public_url.rstrip('/')}{WORKLIST}",
        },
    }
    return orjson.dumps(told)


def headers(message_id: str, content: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    """Return the headers of an attempt; the identifier is the same at each, by which a receiver knows what it has."""
    seconds = int(now.timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(message_id, seconds, content, secret),
    }


def signature(message_id: str, seconds: int, content: bytes, secret: bytes) -> str:
    """Return ``v1,`` and the HMAC-SHA256 of identifier, time and body in Base64."""
    signed = f"{message_id}.{seconds}.".encode() + content
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
