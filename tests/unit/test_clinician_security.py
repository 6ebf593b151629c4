"""Who opens which page, against an expectation written out by hand; nothing that leads an employer to a person; headers."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from datetime import date
from itertools import product
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
import pytest
from starlette.responses import PlainTextResponse

from data_contracts.national_identity_number import MASK
from serving.access import quotas
from serving.access.policy import Purpose
from serving.access.quotas import Rate
from serving.call import Endpoint
from serving.clinician.addresses import SIGN_IN
from serving.clinician.pages import PAGES
from serving.clinician.rendering import STATIC, static_address
from serving.endpoints import ENDPOINTS
from serving.guard import HEADERS, Guard
from serving.store.alert_rules import TeamRule
from tests.lib.deployment import COMPANY, PERSON, REQUEST
from tests.lib.pages import NIGHT, OUTCOMES, Pages, clinicians_pages

FREE, LIST, COMPANY_ONLY, CARE, ALERT = "free", "list", "company", "care", "alert"
OWN_COMPANIES, OWN_COMPANY = "own companies", "own company"
CLINICIANS = {
    ("GET", "/ui/help"): FREE,
    ("GET", "/ui/models"): FREE,
    ("GET", "/ui/models/{outcome}"): FREE,
    ("GET", "/ui/models/{outcome}/card"): FREE,
    ("GET", "/ui/worklist"): LIST,
    ("GET", "/ui/persons/{person_id}"): CARE,
    ("GET", "/ui/persons/{person_id}/contributions"): CARE,
    ("GET", "/ui/persons/{person_id}/profile"): CARE,
    ("GET", "/ui/persons/{person_id}/timeline"): CARE,
    ("GET", "/ui/persons/{person_id}/what-if"): CARE,
    ("POST", "/ui/persons/{person_id}/what-if"): CARE,
    ("GET", "/ui/persons/{person_id}/decisions"): CARE,
    ("POST", "/ui/persons/{person_id}/decisions"): CARE,
    ("POST", "/ui/persons/{person_id}/care"): COMPANY_ONLY,
    ("POST", "/ui/alerts/{alert_id}/acknowledgement"): ALERT,
}
EMPLOYERS = {
    ("GET", "/ui/companies"): OWN_COMPANIES,
    ("GET", "/ui/companies/{company_id}"): OWN_COMPANY,
    ("GET", "/ui/companies-help"): FREE,
}
FORMS = {
    "/ui/persons/{person_id}/decisions": {"score_id": "0" * 32},
    "/ui/persons/{person_id}/what-if": {},
    "/ui/persons/{person_id}/care": {},
    "/ui/alerts/{alert_id}/acknowledgement": {},
}
"""As few fields as the page takes at all; each is asked for more, but of whom it is about is decided before."""
PLACES = {"person_id": PERSON, "company_id": COMPANY, "outcome": OUTCOMES[0], "alert_id": "0" * 32}
"""The alert is one about the person, as soon as there is a store."""
MAY_NOT = {401, 403}
ELSEWHERE = ["another-company"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A person whom clinician-1 follows up and clinician-2 of the same company does not."""
    with clinicians_pages(tmp_path_factory.mktemp("pages")) as found:
        found.begin_care()
        everybody = TeamRule("all", frozenset({COMPANY}), {OUTCOMES[0]: 0.0}, 9, valid_days=10_000)
        found.store.raise_alerts(NIGHT, [everybody])
        (alert, *_) = found.store.open_alerts([COMPANY], date.today())
        PLACES["alert_id"] = alert.alert_id
        yield found


@pytest.fixture(autouse=True)
def nobody_has_asked_yet(pages):
    """A machine that is fast enough asks more in this file than a caller may in a minute."""
    pages.service.parts.quotas = quotas.Quotas()


def address(page: Endpoint, **places: str) -> str:
    return page.path.format(**PLACES | places)


def asked(pages: Pages, page: Endpoint, headers: Mapping[str, str] | None = None, **who: Any) -> httpx.Response:
    """Ask as somebody whose token is in the cookie, with a form that is not filled in."""
    told = {**pages.headers(**who), **(headers or {})}
    form = {"content": urlencode(FORMS[page.path])} if page.method == "POST" else {}
    return pages.service.call({"method": page.method, "url": address(page), "headers": told, **form})[0]


def logged(pages: Pages, begun: int) -> list[dict[str, Any]]:
    return pages.service.events()[begun:]


def n_logged(pages: Pages) -> int:
    return len(pages.service.events())


def beside_its_own_address(response: httpx.Response, page: Endpoint) -> str:
    """The text of a page without where its choice of language leads back to."""
    return response.text.replace(f'value="{address(page)}"', "")


def named(page: Endpoint) -> str:
    return f"{page.method} {page.path}"


each_page = pytest.mark.parametrize("page", PAGES, ids=named)


def test_the_expectation_names_every_page_once():
    assert {(page.method, page.path) for page in PAGES} == set(CLINICIANS) | set(EMPLOYERS)
    assert all(page.is_page and not page.is_public for page in PAGES)
    writing = ("/decisions", "/care", "/acknowledgement")
    assert all(page.writes == (page.path.endswith(writing) and page.method == "POST") for page in PAGES)


# Who may


@each_page
def test_without_a_token_one_is_sent_to_the_sign_in(pages, page):
    begun = n_logged(pages)
    response = pages.service.call(
        {"method": page.method, "url": address(page), "headers": {"sec-fetch-site": "same-origin"}}
    )[0]
    assert PERSON not in response.text
    if page.method == "GET":
        assert (response.status_code, response.headers["location"].partition("?")[0]) == (303, SIGN_IN)
        assert logged(pages, begun) == []  # a bookmark that was opened: nothing was tried
    else:
        assert response.status_code == 401
        (event,) = logged(pages, begun)
        assert (event["decision"], event["reason"]) == ("denied", "no_token")


@each_page
@pytest.mark.parametrize(("who", "why"), [({"exp": 1, "iat": 0, "nbf": 0}, "expired"), ({"role": "auditor"}, "role")])
def test_whom_a_refused_try_was_about_stands_in_the_log(pages, page, who, why):
    begun = n_logged(pages)
    assert asked(pages, page, **who).status_code in {303, *MAY_NOT}
    (event,) = logged(pages, begun)
    assert event["decision"] == "denied"
    assert event["reason"].startswith(why)
    assert event["person_id"] == (PERSON if "{person_id}" in page.path else None)


@pytest.mark.parametrize("guess", ["x" * 65, "a%20b", "%3Cscript%3E"])
def test_what_can_be_no_person_is_not_logged_as_one(pages, guess):
    begun = n_logged(pages)
    pages.get(f"/ui/persons/{guess}", role="auditor")
    assert [event["person_id"] for event in logged(pages, begun)] == [None]


def test_a_national_identity_number_in_the_address_is_masked_in_the_log(pages):
    begun = n_logged(pages)
    pages.get("/ui/persons/01018000055", role="auditor")
    pages.get("/ui/persons/01018000055")
    assert {event["person_id"] for event in logged(pages, begun)} == {MASK}


@each_page
@pytest.mark.parametrize("role", ["app", "auditor", "employer", "clinician"])
def test_a_page_is_for_one_role(pages, page, role):
    begun = n_logged(pages)
    response = asked(pages, page, role=role)
    is_theirs = role == ("employer" if (page.method, page.path) in EMPLOYERS else "clinician")
    assert (response.status_code in MAY_NOT) == (not is_theirs)
    (event, *_) = logged(pages, begun)
    is_form = page.writes and page.body is not None
    is_kept = is_theirs and not is_form  # the forms are not filled in
    assert (event["decision"], event["action"]) == ("allowed" if is_kept else "denied", page.action)
    assert (event["reason"] == "invalid_request") == (is_theirs and is_form)
    if not is_theirs:
        assert response.status_code == 403
        assert PERSON not in beside_its_own_address(response, page)


@each_page
def test_a_clinician_of_another_company_sees_no_person_of_this_one(pages, page):
    kind = CLINICIANS.get((page.method, page.path))
    response = asked(pages, page, sub="clinician-9", organisations=ELSEWHERE)
    assert (response.status_code == 403) == (kind not in (FREE, LIST))
    if kind != FREE:
        assert PERSON not in beside_its_own_address(response, page)


@each_page
def test_without_a_care_relation_a_person_stays_closed_and_one_can_be_begun(pages, page):
    kind = CLINICIANS.get((page.method, page.path))
    response = asked(pages, page, sub="clinician-2")
    assert (response.status_code == 403) == (kind in (CARE, None))
    is_offered = f'action="/ui/persons/{PERSON}/care"' in response.text
    assert is_offered == (kind in (CARE, COMPANY_ONLY)) or kind == LIST


@each_page
def test_whoever_may_is_answered(pages, page):
    kind = CLINICIANS.get((page.method, page.path)) or EMPLOYERS[page.method, page.path]
    response = asked(pages, page, role="employer" if page.path.startswith("/ui/companies") else "clinician")
    # A form that is not filled in is not what is asked for; of a report or a card there may be none yet; who acts for one
    # company is sent on to it; of a score that is not hers nothing can be said.
    expected = {200, 404} if page.method == "GET" else {200, 404, 422}
    assert response.status_code in ({303} if kind in (OWN_COMPANIES, ALERT) else expected)
    assert (PERSON in response.text) or kind not in (CARE, LIST) or response.status_code == 404


def test_an_employer_opens_her_own_companies_only(pages):
    (page,) = [one for one in PAGES if one.path == "/ui/companies/{company_id}"]
    assert asked(pages, page, role="employer").status_code != 403
    assert asked(pages, page, role="employer", organisations=ELSEWHERE).status_code == 403


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=named)
def test_a_form_of_another_site_changes_nothing_and_is_logged_by_name(pages, page):
    begun = n_logged(pages)
    response = asked(pages, page, {"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    (event,) = logged(pages, begun)
    assert (event["decision"], event["reason"], event["caller"]) == ("denied", "sent_by_another_site", "clinician-1")


@each_page
def test_a_page_reads_no_query_that_it_does_not_declare(pages, page):
    who = {"role": "employer"} if (page.method, page.path) in EMPLOYERS else {}
    told = {"method": page.method, "url": address(page) + "?undeclared=1", "headers": pages.headers(**who)}
    assert pages.service.call(told)[0].status_code == 422


EXPLAINED = ["", "/contributions", "/what-if"]


def test_pages_that_explain_share_a_quota_of_their_own(pages, monkeypatch):
    assert [page.path.partition("{person_id}")[2] for page in PAGES if page.is_explained] == EXPLAINED
    monkeypatch.setattr(quotas, "EXPLAINED_PAGES", Rate(per_minute=1, burst=3))
    reader = {"sub": "leafs-through"}
    pages.store.begin_care("leafs-through", PERSON, "referred", date.today())
    home = f"/ui/persons/{PERSON}"
    assert [pages.get(f"{home}{tab}", **reader).status_code for tab in EXPLAINED] == [200, 200, 200]
    refused = [pages.get(f"{home}{tab}", **reader) for tab in EXPLAINED]
    assert [one.status_code for one in refused] == [429, 429, 429]
    assert int(refused[0].headers["retry-after"]) > 1
    assert pages.get(f"{home}/profile", **reader).status_code == 200
    assert pages.get(home).status_code == 200, "another reader has a quota of her own"


def test_a_readers_day_is_far_within_the_quota():
    # Twenty persons opened one after another, each with its five tabs, without a second between them.
    assert quotas.EXPLAINED_PAGES.burst >= 20 * len(EXPLAINED)
    assert quotas.EXPLAINED_PAGES.per_minute >= 20 * len(EXPLAINED)


# Nothing leads an employer to a person

GUESSES = [
    PERSON,
    PERSON.lower(),
    PERSON.upper(),
    f"{PERSON}%20",
    f"{PERSON}%00",
    f"./{PERSON}",
    f"%2e/{PERSON}",
    f"x/../{PERSON}",
]


@pytest.mark.parametrize("endpoint", [*ENDPOINTS, *PAGES], ids=named)
def test_no_address_tells_an_employer_of_a_person_whatever_is_declared_or_guessed(pages, endpoint):
    employer = {"role": "employer", "sub": named(endpoint)}  # each with a quota of refusals of her own
    token = pages.service.issuer.token(**employer)
    bearer = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    heads = [bearer | {"x-purpose-of-use": purpose} for purpose in Purpose]
    heads += [pages.headers(**employer), pages.headers(**employer) | {"hx-request": "true"}]
    body = {"json": REQUEST} if endpoint.method == "POST" else {}
    requests = [
        {
            "method": endpoint.method,
            "url": endpoint.path.format(**PLACES | {"person_id": guess}),
            "headers": head,
            **body,
        }
        for guess, head in product(GUESSES if "{person_id}" in endpoint.path else [PERSON], heads)
    ]
    for response in pages.service.call(*requests):
        assert response.status_code != 200 or PERSON.lower() not in response.text.lower()
        if "{person_id}" in endpoint.path:
            assert response.status_code in {*MAY_NOT, 404, 405, 415, 422}


def address_of_alert() -> str:
    return f"/ui/alerts/{PLACES['alert_id']}/acknowledgement"


def links(response: httpx.Response, path: str) -> set[str]:
    found = re.findall(r'(?:href|action|src|hx-(?:get|post))="([^"]*)"', response.text)
    return {urljoin(path, html.unescape(one)).partition("#")[0] for one in found}


def crawled(pages: Pages, start: str, **who: Any) -> dict[str, httpx.Response]:
    """Every page that links and forms lead to, opened; addresses that only take forms are opened too, and refuse."""
    seen: dict[str, httpx.Response] = {}
    left = {start}
    while left:
        path = left.pop()
        seen[path] = pages.get(path, **who)
        location = seen[path].headers.get("location")
        left |= (links(seen[path], path) | ({location} if location else set())) - seen.keys()
    return seen


@pytest.mark.parametrize("language", ["nb", "en"])
def test_no_link_leads_from_an_employers_pages_to_a_person(pages, language):
    seen = crawled(pages, "/ui/", role="employer", language=language)
    assert {"/ui/companies", f"/ui/companies/{COMPANY}", "/ui/companies-help"} <= seen.keys()
    assert not [path for path in seen if path.startswith(("/ui/persons", "/ui/worklist", "/ui/models"))]
    assert not [path for path, response in seen.items() if PERSON in response.text]


@pytest.mark.parametrize("language", ["nb", "en"])
def test_a_clinicians_links_lead_to_pages_that_exist_and_load_nothing_from_elsewhere(pages, language):
    seen = crawled(pages, "/ui/", language=language)
    assert f"/ui/persons/{PERSON}" in seen
    assert all(path.startswith("/ui/") for path in seen)
    takes_forms = {"/ui/language", "/ui/sign-out", f"/ui/persons/{PERSON}/care", address_of_alert()}  # no page to open
    assert {path for path, one in seen.items() if one.status_code not in {200, 303}} <= takes_forms
    for path, response in seen.items():
        if "/static/" in path or path.endswith("/card"):
            continue  # the card is a document of its own, in a sandbox
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", response.text), path


# Headers


def guarded(pages: Pages, path: str, **who: Any) -> httpx.Response:
    guard = Guard(pages.service.app, lambda: PlainTextResponse("ready"))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://test") as client:
            return await client.get(path, headers=pages.headers(**who))

    return asyncio.run(ask())


def test_pages_are_kept_by_nobody_framed_by_nobody_and_run_only_our_scripts(pages):
    for path in ("/ui/help", f"/ui/persons/{PERSON}", "/ui/nothing", SIGN_IN, "/ui/"):
        response = guarded(pages, path)
        assert {name: response.headers[name.decode()].encode() for name, _ in HEADERS} == dict(HEADERS)
        assert response.headers.get("content-type", "text/html").startswith("text/html")
        assert "set-cookie" not in response.headers
    policy = dict(HEADERS)[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|\*|http|data:", policy)
    # Without the origin of our own forms a browser of some years ago could not send one.
    assert dict(HEADERS)[b"referrer-policy"] == b"same-origin"


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
def test_files_are_kept_under_names_that_change_with_them(pages, name):
    response = guarded(pages, static_address(name))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["x-content-type-options"] == "nosniff"
    kind = {"js": "javascript", "css": "text/css", "svg": "image/svg+xml"}[name.rsplit(".", 1)[1]]
    assert kind in response.headers["content-type"]
    assert guarded(pages, f"/ui/static/000000000000/{name}").status_code == 404
    assert guarded(pages, f"/ui/static/..%2f/{name}").status_code == 404


def test_a_form_is_no_json_and_json_no_form(pages):
    head = pages.headers()
    care = f"/ui/persons/{PERSON}/care"
    as_json = {
        "method": "POST",
        "url": care,
        "json": {"reason": "x"},
        "headers": head | {"content-type": "application/json"},
    }
    as_form = {"method": "POST", "url": f"/v1/persons/{PERSON}/care-relation", "content": urlencode({"reason": "x"}),
               "headers": head | pages.service.headers("clinician") | {"content-type": head["content-type"]}}  # fmt: skip
    assert [one.status_code for one in pages.service.call(as_json, as_form)] == [415, 415]
