"""What is sent of an alert, and how it is signed: Standard Webhooks 1.0.0 (github.com/standard-webhooks), scheme v1.

A message says that something is on the worklist and where that is: not about whom, nor of what kind. Who receives it may be
a chat or a telephone that others see, run by somebody else.
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
TEXTS: Mapping[str, str] = MappingProxyType(
    {
        "nb": "Det er noe nytt på arbeidslisten. Åpne den i dag.",
        "en": "There is something new on the worklist. Open it today.",
    }
)
"""By language; the same of every alert, as that somebody in a company has a safety flag is about few persons."""


def body(delivery: Delivery, language: str, public_url: str) -> bytes:
    """Return the JSON of a message: the same bytes at each attempt."""
    told: dict[str, Any] = {
        "type": "alert.raised",
        "timestamp": delivery.created_at.isoformat(),
        "data": {
            "alert_id": delivery.alert_id,
            "text": TEXTS[language],
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
