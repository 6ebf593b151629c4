"""The application in this process, with real tokens and a real audit log, for tests of what it answers."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from serving.app import create_app
from serving.endpoints import ENDPOINTS
from serving.gate import Gate
from serving.parts import Parts
from serving.predictor import Predictor
from serving.settings import Settings
from tests.lib.deployment import AUDIENCE, ISSUER, Issuer
from tests.lib.models import boosted_model, linear_model


class InProcess:
    """Parts, application and issuer; ``call`` sends several requests at once."""

    def __init__(self, root: Path, endpoints: Any = ENDPOINTS) -> None:
        audit_key = root / "audit.key"
        audit_key.write_text("a1" * 32)
        audit_key.chmod(0o600)
        self.issuer = Issuer(root / "jwks.json")
        self.audit = root / "audit.db"
        settings = Settings(
            store=f"sqlite:///{root / 'store.db'}", audit=f"sqlite:///{self.audit}", audit_key=audit_key,
            audit_heads=root / "heads.jsonl", issuer=ISSUER, audience=AUDIENCE, jwks=str(self.issuer.jwks),
            bundles=root / "bundles",
        )  # fmt: skip
        self.parts = Parts.build(settings)
        assert not self.parts.lacking
        self.parts.watch.predictor = Predictor({"long_sick_leave": linear_model(), "burnout": boosted_model()})
        self.gate = Gate()
        self.app = create_app(self.parts, self.gate, endpoints)

    def headers(self, role: str = "app", purpose: str | None = "healthcare", **claims: Any) -> dict[str, str]:
        """Return the headers of a caller."""
        told = {"authorization": f"Bearer {self.issuer.token(role, **claims)}", "content-type": "application/json"}
        return told | ({"x-purpose-of-use": purpose} if purpose else {})

    def call(self, *requests: dict[str, Any]) -> list[httpx.Response]:
        """Return the answers to requests that are sent at the same time."""

        async def together() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await asyncio.gather(*(client.request(**request) for request in requests))

        return asyncio.run(together())

    def post(self, path: str, body: Any, **headers: str | None) -> httpx.Response:
        """Post as the app; a header that is None is left out."""
        content = body if isinstance(body, str | bytes) or hasattr(body, "__aiter__") else json.dumps(body)
        told = {name: value for name, value in (self.headers() | headers).items() if value is not None}
        return self.call({"method": "POST", "url": path, "content": content, "headers": told})[0]

    def get(self, path: str, role: str = "app", purpose: str | None = "healthcare", **claims: Any) -> httpx.Response:
        """Get as a caller of that role."""
        return self.call({"method": "GET", "url": path, "headers": self.headers(role, purpose, **claims)})[0]

    def events(self) -> list[dict[str, Any]]:
        """Return what is in the audit log, oldest first."""
        with sqlite3.connect(self.audit) as database:
            database.row_factory = sqlite3.Row
            (table,) = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                        if "event" in name]  # fmt: skip
            return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY 1")]


@contextmanager
def running(root: Path, endpoints: Any = ENDPOINTS) -> Iterator[InProcess]:
    """Yield the application with its threads started but for the watch, whose models are given."""
    service = InProcess(root, endpoints)
    assert service.parts.journal is not None
    service.parts.journal.start()
    try:
        yield service
    finally:
        service.gate.close()
        service.parts.close()
