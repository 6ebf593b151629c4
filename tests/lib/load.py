"""Requests at a steady rate against a running service, and what came of each."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.lib.deployment import REQUEST, Deployment

BODY = json.dumps(REQUEST).encode()


@dataclass
class Sent:
    """One request: when it was sent (seconds from the start), status (0: the connection broke), answer, name, its seconds."""

    at: float
    status: int
    answer: dict[str, Any]
    request_id: str
    took: float


@dataclass
class Load:
    """Sends the example at ``rate`` requests a second until it is stopped; a request never waits for the one before."""

    service: Deployment
    rate: float
    sent: list[Sent] = field(default_factory=list)
    verify: ssl.SSLContext | bool = True

    def __enter__(self) -> Load:
        self._stopped = threading.Event()
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begun

    async def _send(self) -> None:
        limits = httpx.Limits(max_connections=256, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            base_url=self.service.url, timeout=30, limits=limits, verify=self.verify
        ) as client:
            running: set[asyncio.Task[None]] = set()
            while not self._stopped.is_set():
                task = asyncio.create_task(self._one(client))
                running.add(task)
                task.add_done_callback(running.discard)
                await asyncio.sleep(1 / self.rate)
            await asyncio.gather(*running)

    async def _one(self, client: httpx.AsyncClient) -> None:
        at = self.seconds()
        try:
            response = await client.post("/v1/risk", content=BODY, headers=self.service.headers())
        except httpx.TransportError:
            self.sent.append(Sent(at, 0, {}, "", self.seconds() - at))
            return
        answer = response.json() if response.status_code == 200 else {}
        name, took = response.headers.get("x-request-id", ""), self.seconds() - at
        self.sent.append(Sent(at, response.status_code, answer, name, took))
