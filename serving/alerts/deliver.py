"""Sends the messages of the outbox: ``python -m serving.alerts deliver [--once]``.

At least once: a message is claimed, sent, and noted as delivered in this order, so a process that dies in between has it
sent again, with the same ``webhook-id``. Any answer but 2xx is a failure; 410 says that nothing is wanted there any more.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import urlsplit, urlunsplit

import httpx

from serving.alerts.addresses import AddressRefused, resolved
from serving.alerts.messages import body, headers
from serving.alerts.teams import Receiver
from serving.store import Store
from serving.store.outbox import Delivery

ATTEMPT_SECONDS = 15.0
"""From the look-up of the name to the head of the answer; less than the lease of a message."""

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)
LOOK_AGAIN_SECONDS = 5.0
DELIVERED, GONE, NO_RECEIVER = "delivered", "gone", "no_receiver"


def utc_now() -> datetime:
    """Return the moment it is."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Deliverer:
    """One process that sends.

    Parameters
    ----------
    receivers : mapping
        By team; a team without one has its messages given up.
    public_url : str
        Where people reach the service.
    chance : random.Random
        Of the jitter: many messages that failed together must not come together again.
    now : callable
    """

    store: Store
    receivers: Mapping[str, Receiver]
    public_url: str
    chance: random.Random
    now: Callable[[], datetime] = utc_now

    def once(self) -> dict[str, int]:
        """Send all that is due by now; return how many were delivered, failed and given up."""
        done, due = Counter(delivered=0, failed=0, given_up=0), self.now()
        while deliveries := self.store.claim_deliveries(due, self.now()):
            done.update(asyncio.run(self._send_all(deliveries)))
        return dict(done)

    def forever(self, told: Callable[[dict[str, int]], None]) -> None:
        """Send whatever becomes due, until the process is ended; ``told`` hears of each round that did something."""
        while True:
            done = self.once()
            if any(done.values()):
                told(done)
            time.sleep(LOOK_AGAIN_SECONDS)

    async def _send_all(self, deliveries: list[Delivery]) -> list[str]:
        return await asyncio.gather(*map(self._send_and_note, deliveries))

    async def _send_and_note(self, delivery: Delivery) -> str:
        """Note each as soon as it is known: the slowest must not hold the others beyond their lease."""
        return self._note(delivery, await self._send(delivery))

    async def _send(self, delivery: Delivery) -> str:
        receiver = self.receivers.get(delivery.team)
        if receiver is None:
            return NO_RECEIVER
        content = body(delivery, receiver.language, self.public_url)
        signed = headers(delivery.message_id, content, receiver.secret, self.now())
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                status = await _status(receiver, content, signed)
        except TimeoutError:
            return "timed_out"
        except AddressRefused:
            return "address_refused"
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # its text has the address, maybe a chat's password
            return "connection_failed"
        return _result(status)

    def _note(self, delivery: Delivery, result: str) -> str:
        now = self.now()
        if result == DELIVERED:
            self.store.note_delivery(delivery.message_id, now)
            return "delivered"
        if result in (GONE, NO_RECEIVER) or now >= delivery.created_at + GIVE_UP_AFTER:
            self.store.note_given_up(delivery.message_id, result, now)
            return "given_up"
        self.store.note_failure(delivery.message_id, result, now + wait_after(delivery.attempts, self.chance))
        return "failed"


def wait_after(attempts: int, chance: random.Random) -> timedelta:
    """Return how long to wait: twice as long each time up to six hours, and of that between half and all, by chance."""
    doubled = FIRST_WAIT * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_WAIT) * chance.uniform(0.5, 1.0)


def _result(status: int) -> str:
    if 200 <= status < 300:
        return DELIVERED
    return GONE if status == 410 else f"http_{status}"


@cache
def _authorities() -> ssl.SSLContext:
    """Return whose certificates count: the usual ones, or those that SSL_CERT_FILE names, read once."""
    return httpx.create_ssl_context()


async def _status(receiver: Receiver, content: bytes, signed: Mapping[str, str]) -> int:
    """Post to the address that was checked, under the receiver's name; the answer's body is not read."""
    address = await resolved(receiver.url, allow_private=receiver.allow_private)
    parts = urlsplit(receiver.url)
    numeric = f"[{address}]" if ":" in address else address
    target = urlunsplit((parts.scheme, numeric if parts.port is None else f"{numeric}:{parts.port}", parts.path or "/",
                         parts.query, ""))  # fmt: skip
    # No proxy and no .netrc of the environment, and no redirect: each would lead past what was checked.
    async with httpx.AsyncClient(
        trust_env=False, follow_redirects=False, timeout=ATTEMPT_SECONDS, verify=_authorities()
    ) as client:
        named = {**signed, "host": parts.netloc}
        extensions = {"sni_hostname": parts.hostname}
        async with client.stream("POST", target, content=content, headers=named, extensions=extensions) as answer:
            return answer.status_code
