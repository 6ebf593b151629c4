"""The service with persons and models in it, and readers at their browsers who write down what goes wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from serving.request_head import LANGUAGE_COOKIE
from tests.lib.deployment import Deployment

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
MOST_BYTES = 150_000


class Deployed:
    """The running service, who is in it, and how a browser gets there."""

    def __init__(self, root: Path, workspace: Path, browser: Browser) -> None:
        self.service = Deployment(
            root,
            BALANCE_RISK_BUNDLES=str(workspace / "bundles"),
            BALANCE_RISK_VERIFY_KEY=str(workspace / "keys" / "verify.key"),
        )
        self.store = root / "store" / "store.db"
        with sqlite3.connect(workspace / "store" / "store.db") as there, sqlite3.connect(self.store) as here:
            there.backup(here)
        self.browser, self.axe = browser, Axe()

    def asked(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what the store holds."""
        with sqlite3.connect(self.store) as store:
            return store.execute(query, values).fetchall()

    @property
    def companies(self) -> list[str]:
        """Every company, the largest first."""
        query = "SELECT company_id FROM memberships GROUP BY company_id ORDER BY COUNT(*) DESC, company_id"
        return [company for (company,) in self.asked(query)][:20]

    def someone(self, place: int = 0, is_flagged: bool = False, outcome: str = "long_sick_leave") -> str:
        """Return a pseudonym by the place in the ranking of the largest company."""
        query = """SELECT scores.person_id FROM scores JOIN nights USING (run_id) JOIN outcome_scores USING (score_id)
                   JOIN memberships ON memberships.person_id = scores.person_id
                   WHERE is_current AND night = (SELECT MAX(night) FROM nights) AND outcome = ?
                   AND is_flagged = ? AND company_id = ? AND number IS NOT NULL ORDER BY number DESC LIMIT 1 OFFSET ?"""
        ((person,),) = self.asked(query, outcome, is_flagged, self.companies[0], place)
        return str(person)

    @contextmanager
    def reader(self, role: str = "clinician", subject: str = "", **options: Any) -> Iterator[Reader]:
        """Yield somebody at a browser who has not signed in yet; what went wrong there fails the test at the end."""
        language = options.pop("language", "nb")
        context = self.browser.new_context(
            **{"viewport": DESKTOP, "locale": "nb-NO", "base_url": self.service.url} | options
        )
        context.add_cookies(
            [{"name": LANGUAGE_COOKIE, "value": language, "domain": "127.0.0.1", "path": "/ui", "httpOnly": True}]
        )
        found = Reader(self, context, role, subject or f"{role}-1")
        try:
            yield found
            assert found.wrong == []
        finally:
            context.close()


class Reader:
    """A person with a token at a browser."""

    def __init__(self, deployed: Deployed, context: BrowserContext, role: str, subject: str) -> None:
        self.deployed, self.context, self.role, self.subject = deployed, context, role, subject
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.expected: set[int] = set()
        self.page.on("console", lambda said: self._said(said.type, said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("response", lambda response: self._answered(response.status, response.url))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.wrong.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.deployed.service.url, "data:")):
            self.wrong.append(f"an external asset: {url}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400 and status not in self.expected:
            self.wrong.append(f"{status} {url}")

    @property
    def token(self) -> str:
        """A token of this person for the largest companies."""
        companies = self.deployed.companies if self.role == "clinician" else self.deployed.companies[:2]
        return self.deployed.service.issuer.token(self.role, organisations=companies, sub=self.subject)

    def sign_in(self) -> Page:
        """Sign in through the form, as everybody does."""
        self.page.goto("/ui/sign-in")
        self.page.locator("#token").fill(self.token)
        self.page.locator("main button.primary").click()
        return self.page

    def take_into_care(self, person: str) -> None:
        """Begin to follow a person up, from the page that refuses to show her."""
        self.expected.add(403)
        self.page.goto(f"/ui/persons/{person}")
        self.page.locator("#reason").fill("SYNTHETIC: asked for a talk")
        self.page.locator("main button.primary").click()
        self.expected.discard(403)

    def look(self, address: str) -> Page:
        """Go to a page."""
        self.page.goto(address)
        return self.page

    def violations(self) -> list[str]:
        """Return what axe finds on this page: rule, and where."""
        found = self.deployed.axe.run(self.page, options=RULES).response["violations"]
        return [f"{self.page.url}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]

    def is_too_wide(self) -> bool:
        """True if the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
