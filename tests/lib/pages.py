"""The pages as a clinician's browser asks for them, over a store that holds the person of the example."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from serving.predictor import Predictor
from serving.store.nights import Digest, Night, OutcomeScore, ScoredPerson
from serving.store.records import packed_record
from tests.lib.deployment import COMPANY, PERSON, REQUEST
from tests.lib.in_process import InProcess, running
from tests.lib.stores import consents

NIGHT = date.fromisoformat(REQUEST["index_date"])
OUTCOMES: tuple[str, ...] = tuple(REQUEST["outcomes"])
HOME = f"/ui/persons/{PERSON}"


@dataclass(frozen=True)
class Pages:
    """A signed-in clinician, unless another role or other claims are named."""

    service: InProcess

    @property
    def store(self) -> Any:
        """The store behind the pages."""
        return self.service.parts.store

    def headers(self, language: str = "nb", role: str = "clinician", **claims: Any) -> dict[str, str]:
        """What a browser sends along when a form of ours is sent."""
        token = self.service.issuer.token(role, **claims)
        return {"cookie": f"__Secure-balance_risk_token={token}; balance_risk_language={language}",
                "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}  # fmt: skip

    def get(self, path: str, **who: Any) -> httpx.Response:
        """Open a page."""
        return self.service.call({"method": "GET", "url": path, "headers": self.headers(**who)})[0]

    def post(self, path: str, form: Mapping[str, Any], **who: Any) -> httpx.Response:
        """Send a form."""
        return self.service.call(
            {"method": "POST", "url": path, "content": urlencode(form), "headers": self.headers(**who)}
        )[0]

    def begin_care(self) -> None:
        """Take the person into the clinician's care."""
        self.store.begin_care("clinician-1", PERSON, "referred", date.today())


@contextmanager
def clinicians_pages(root: Path, record: dict[str, Any] | None = None) -> Iterator[Pages]:
    """Yield the pages over one night with the person of the example, or another record of hers."""
    with running(root) as service:
        pages = Pages(service)
        predictor = service.parts.watch.predictor
        assert predictor is not None
        write_night(pages.store, predictor, record or REQUEST["record"])
        yield pages


def write_night(store: Any, predictor: Predictor, record: dict[str, Any], night: date = NIGHT) -> None:
    """Score the person and write the night."""
    answer = predictor.predict_json(record, night, OUTCOMES, night)
    risks = predictor.predict(record, night, OUTCOMES, night)
    scores = [
        OutcomeScore(name, one.target, one.risk, *(one.interval or (None, None)), one.band and one.band.name)
        for name, one in risks.outcomes.items()
    ]
    person = ScoredPerson(
        person_id=PERSON, answer=answer, is_flagged=bool(risks.safety_flags), outcomes=tuple(scores), companies=(COMPANY,),
        consents=consents(), measures=(), record=packed_record(record),
    )  # fmt: skip
    digest = Digest()
    digest.add(PERSON, answer)
    models = {
        name: {"directory": name, "version": one.model.version, "artifact_sha256": one.model.artifact_sha256}
        for name, one in risks.outcomes.items()
    }
    last, _ = store.withdrawals()
    store.write_night(Night(night, night, "d" * 64, models, digest.hexdigest(), 1, 0, last), [person])


def text_of(response: httpx.Response) -> str:
    """What a reader sees, in one line."""
    visible = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", visible).strip()
