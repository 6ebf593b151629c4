"""Signing in with the token that the API takes: what the cookie is, where one is sent to, what is logged, what is said."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from serving import problems
from serving.access.quotas import Rate
from serving.clinician import sign_in
from serving.clinician.addresses import SIGN_IN, address_of, ours
from serving.clinician.refusals import SAID, refusal
from serving.problems import KINDS, Problem
from serving.request_head import LANGUAGE_COOKIE
from serving.request_head import TOKEN_COOKIE as IN_DEVELOPMENT
from tests.lib.in_process import running
from tests.lib.pages import text_of

TOKEN_COOKIE = f"__Secure-{IN_DEVELOPMENT}"
OURS = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as found:
        yield found


@pytest.fixture
def alone(tmp_path):
    with running(tmp_path) as found:
        yield found


def sent(service, path: str, form: dict[str, str] | str, **headers: str) -> httpx.Response:
    content = form if isinstance(form, str) else urlencode(form)
    return service.call({"method": "POST", "url": path, "content": content, "headers": OURS | headers})[0]


def shown(service, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    return service.call(
        {"method": method, "url": path, "headers": {k.replace("_", "-"): v for k, v in headers.items()}}
    )[0]


def cookies(response: httpx.Response) -> Any:
    return SimpleCookie(response.headers.get("set-cookie", ""))


# The cookie


def test_the_token_is_kept_where_scripts_and_other_sites_cannot_use_it_and_no_longer_than_it_holds(service):
    token = service.issuer.token("clinician")
    response = sent(service, SIGN_IN, {"token": f" {token}\n", "next": ""})
    assert (response.status_code, response.headers["location"]) == (303, "/ui/worklist")
    kept = cookies(response)[TOKEN_COOKIE]
    assert kept.value == token
    assert (kept["path"], kept["httponly"], kept["samesite"], kept["secure"]) == ("/ui", True, "lax", True)
    assert kept["domain"] == ""
    assert 590 <= int(kept["max-age"]) <= 600


@pytest.fixture
def development(alone):
    object.__setattr__(alone.parts.settings, "mode", "development")
    return alone


def test_only_development_may_do_without_tls(development):
    token = development.issuer.token("clinician")
    response = sent(development, SIGN_IN, {"token": token})
    assert set(cookies(response)) == {IN_DEVELOPMENT}
    assert not cookies(response)[IN_DEVELOPMENT]["secure"]
    assert shown(development, "/ui/help", cookie=f"{IN_DEVELOPMENT}={token}").status_code == 200


def test_in_production_a_cookie_that_could_come_without_tls_signs_nobody_in(service):
    token = service.issuer.token("clinician")
    assert shown(service, "/ui/help", cookie=f"{IN_DEVELOPMENT}={token}").status_code == 303
    assert shown(service, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}").status_code == 200


def test_the_cookie_opens_pages_and_no_route_of_the_api(service):
    token = service.issuer.token("clinician")
    cookie = f"{TOKEN_COOKIE}={token}"
    assert shown(service, "/ui/help", cookie=cookie).status_code == 200
    assert shown(service, "/v1/models", cookie=cookie, x_purpose_of_use="healthcare").status_code == 401


@pytest.mark.parametrize("header", ["{0}; {0}", "x{0}", "{0}x"])
def test_a_cookie_that_is_there_twice_or_is_another_signs_nobody_in(service, header):
    cookie = header.format(f"{TOKEN_COOKIE}={service.issuer.token('clinician')}")
    assert shown(service, "/ui/help", cookie=cookie).status_code == 303


def test_signing_out_throws_the_cookie_away(service):
    response = sent(service, "/ui/sign-out", "")
    assert (response.status_code, response.headers["location"]) == (303, "/ui/sign-in?reason=signed_out")
    kept = cookies(response)[TOKEN_COOKIE]
    assert (kept.value, kept["max-age"], kept["path"]) == ("", "0", "/ui")
    assert "Du er logget ut" in text_of(shown(service, response.headers["location"]))


def test_whoever_leaves_is_logged_and_who_was_not_signed_in_is_not(alone):
    token = alone.issuer.token("clinician")
    sent(alone, "/ui/sign-out", "")
    sent(alone, "/ui/sign-out", "", cookie=f"{TOKEN_COOKIE}=x")
    assert alone.events() == []
    sent(alone, "/ui/sign-out", "", cookie=f"{TOKEN_COOKIE}={token}")
    (event,) = alone.events()
    assert (event["action"], event["decision"], event["caller"]) == ("sign_out", "allowed", "clinician-1")
    # The token itself holds until it ends, as the page on access says.
    assert shown(alone, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}").status_code == 200


@pytest.mark.parametrize("part", ["tokens", "journal"])
def test_one_can_always_leave(service, monkeypatch, part):
    token = service.issuer.token("clinician")
    monkeypatch.setattr(service.parts, part, None)
    response = sent(service, "/ui/sign-out", "", cookie=f"{TOKEN_COOKIE}={token}")
    assert cookies(response)[TOKEN_COOKIE]["max-age"] == "0"


def test_a_page_that_hid_itself_learns_who_is_signed_in_now_and_nothing_else(alone):
    token = alone.issuer.token("clinician")
    told = shown(alone, "/ui/session", cookie=f"{TOKEN_COOKIE}={token}").json()
    assert told.pop("seconds_left") in range(590, 601)
    assert told == {"reader": "clinician-1"}
    # A proxy that signs in by itself sends the header.
    assert shown(alone, "/ui/session", authorization=f"Bearer {token}").json()["reader"] == "clinician-1"
    nobody = {"reader": "", "seconds_left": 0}
    assert (
        shown(alone, "/ui/session").json() == shown(alone, "/ui/session", cookie=f"{TOKEN_COOKIE}=x").json() == nobody
    )
    assert 'data-reader="clinician-1"' in shown(alone, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}").text


# Where one is sent to


@pytest.mark.parametrize(("role", "home"), [("clinician", "/ui/worklist"), ("employer", "/ui/companies")])
def test_each_role_begins_at_its_own_page(service, role, home):
    token = service.issuer.token(role)
    assert sent(service, SIGN_IN, {"token": token}).headers["location"] == home
    for path in ("/ui", "/ui/"):
        assert shown(service, path, cookie=f"{TOKEN_COOKIE}={token}").headers["location"] == home
        assert shown(service, path).headers["location"] == "/ui/sign-in?reason=no_token"


def test_whoever_is_not_signed_in_comes_back_to_where_she_wanted_to_go(service):
    response = shown(service, "/ui/persons/p:1?outcome=burnout")
    assert response.headers["location"] == "/ui/sign-in?next=/ui/persons/p:1%3Foutcome%3Dburnout&reason=no_token"
    form = shown(service, response.headers["location"]).text
    assert 'name="next" value="/ui/persons/p:1?outcome=burnout"' in form
    # The choice of language loses neither.
    assert 'value="/ui/sign-in?next=/ui/persons/p:1%3Foutcome%3Dburnout"' in form
    token = service.issuer.token("clinician")
    back = sent(service, SIGN_IN, {"token": token, "next": "/ui/persons/p:1?outcome=burnout"})
    assert back.headers["location"] == "/ui/persons/p:1?outcome=burnout"


ELSEWHERE = [
    "https://evil.example/ui/", "//evil.example/ui/", "/\\evil.example", "/ui//evil.example", "/ui/../v1/models", "/ui/./x",
    "/ui/..", "/v1/models", "/uix/", "javascript:alert(1)", "/ui/x\r\nset-cookie: a=b", "/ui/x y", "/ui/%2e%2e/v1", "ui/",
    "/ui/æ", "/ui/x?a=<b>", "/ui/x#y", "http:/ui/", " /ui/", "/ui/@evil.example",
]  # fmt: skip


@pytest.mark.parametrize("following", ELSEWHERE)
def test_nobody_is_sent_to_another_site_or_beyond_the_pages(service, following):
    token = service.issuer.token("clinician")
    assert sent(service, SIGN_IN, {"token": token, "next": following}).headers["location"] == "/ui/worklist"
    assert sent(service, "/ui/language", {"language": "en", "next": following}).headers["location"] == "/ui/"
    page = shown(service, f"{SIGN_IN}?{urlencode({'next': following})}").text
    assert 'name="next" value=""' in page
    assert ours(following) == ""


def test_a_query_that_no_page_of_ours_asks_for_is_left_behind():
    scope = {"path": "/ui/worklist", "query_string": b"reason=<script>"}
    assert address_of(scope) == "/ui/worklist"
    assert address_of({"path": "/ui/x y", "query_string": b""}) == ""


def test_the_choice_of_language_stays_on_the_page_and_for_a_year(service):
    response = sent(service, "/ui/language", {"language": "en", "next": "/ui/help"})
    assert (response.status_code, response.headers["location"]) == (303, "/ui/help")
    kept = cookies(response)[LANGUAGE_COOKIE]
    assert (kept.value, kept["max-age"], kept["httponly"]) == ("en", "31536000", True)
    token = service.issuer.token("clinician")
    page = shown(service, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}; {LANGUAGE_COOKIE}=en")
    assert '<html lang="en">' in page.text
    assert 'name="next" value="/ui/help"' in page.text
    assert '<html lang="nb">' in shown(service, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}; {LANGUAGE_COOKIE}=xx").text


# Who is not let in


@pytest.mark.parametrize(
    ("token", "reason", "said"),
    [
        ("", "no_token", "Logg inn for å se siden"),
        ("x", "malformed", "gjelder ikke her"),
        ("a.b.c" + "d" * sign_in.LONGEST_TOKEN, "too_large", "for langt for en nettleser"),
    ],
)
def test_what_is_no_token_is_told_why_is_logged_and_is_not_repeated(alone, token, reason, said):
    response = sent(alone, SIGN_IN, {"token": token, "next": "/ui/help"})
    assert response.status_code == 401
    assert said in text_of(response)
    assert 'name="next" value="/ui/help"' in response.text
    assert TOKEN_COOKIE not in cookies(response)
    assert not token or f">{token}<" not in response.text
    (event,) = alone.events()
    assert (event["action"], event["decision"], event["reason"], event["caller"]) == ("sign_in", "denied", reason, "")


def test_an_expired_token_is_told_so(service):
    token = service.issuer.token("clinician", exp=int(time.time()) - 120, iat=int(time.time()) - 600)
    assert "gått ut" in text_of(sent(service, SIGN_IN, {"token": token}))
    response = shown(service, "/ui/help", cookie=f"{TOKEN_COOKIE}={token}")
    assert response.headers["location"] == "/ui/sign-in?next=/ui/help&reason=expired"


@pytest.mark.parametrize("role", ["app", "auditor"])
def test_a_role_without_pages_stays_outside(alone, role):
    response = sent(alone, SIGN_IN, {"token": alone.issuer.token(role)})
    assert response.status_code == 403
    assert TOKEN_COOKIE not in cookies(response)
    (event,) = alone.events()
    assert (event["decision"], event["reason"], event["role"]) == ("denied", "role_not_allowed", role)


def test_whoever_comes_in_is_logged(alone):
    sent(alone, SIGN_IN, {"token": alone.issuer.token("employer")})
    (event,) = alone.events()
    assert (event["action"], event["decision"], event["role"], event["person_id"]) == (
        "sign_in",
        "allowed",
        "employer",
        None,
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
        {"sec-fetch-site": "", "origin": "null"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "", "origin": "http://test"},
        {"sec-fetch-site": "", "origin": "://test"},
    ],
)
@pytest.mark.parametrize("path", [SIGN_IN, "/ui/sign-out", "/ui/language"])
def test_what_another_site_sends_is_refused_and_logged(alone, path, headers):
    told = {name: value for name, value in (OURS | headers).items() if value}
    form = urlencode({"token": alone.issuer.token("clinician"), "language": "en"})
    response = alone.call({"method": "POST", "url": path, "content": form, "headers": told})[0]
    assert response.status_code == 403
    assert "set-cookie" not in response.headers
    (event,) = alone.events()
    assert (event["decision"], event["reason"]) == ("denied", "sent_by_another_site")


def test_an_older_browser_names_its_origin(service):
    told = {"content-type": OURS["content-type"], "origin": "https://test"}
    form = urlencode({"language": "en"})
    assert (
        service.call({"method": "POST", "url": "/ui/language", "content": form, "headers": told})[0].status_code == 303
    )


def test_an_older_browser_in_development_may_do_without_tls(development):
    told = {"content-type": OURS["content-type"], "origin": "http://test"}
    request = {"method": "POST", "url": "/ui/language", "content": "language=en", "headers": told}
    assert development.call(request)[0].status_code == 303


def test_a_flood_without_tokens_keeps_nobody_from_the_way_in(alone, monkeypatch):
    monkeypatch.setattr("serving.access.quotas.DENIED", Rate(per_minute=1, burst=2))
    assert {shown(alone, "/ui/help").status_code for _ in range(20)} == {303}
    assert alone.events() == []
    # None of it was taken from those who have tokens that do not hold, and these are still counted.
    tries = [shown(alone, "/ui/help", cookie=f"{TOKEN_COOKIE}=x").status_code for _ in range(4)]
    assert tries == [303, 303, 429, 429]
    assert shown(alone, "/ui/help", authorization="Basic x").status_code == 429
    assert shown(alone, "/ui/help", cookie=f"{LANGUAGE_COOKIE}=en").status_code == 303
    assert sent(alone, SIGN_IN, {"token": alone.issuer.token("clinician")}).status_code == 303


def test_signing_in_again_and_again_does_not_flood_the_log(alone, monkeypatch):
    monkeypatch.setattr("serving.access.quotas.SIGN_INS", Rate(per_minute=1, burst=2))
    token = alone.issuer.token("clinician")
    assert [sent(alone, SIGN_IN, {"token": token}).status_code for _ in range(4)] == [303, 303, 429, 429]
    assert len(alone.events()) == 2
    assert sent(alone, SIGN_IN, {"token": alone.issuer.token("clinician", sub="another")}).status_code == 303


@pytest.mark.parametrize("path", [SIGN_IN, "/ui/language"])
def test_forms_without_a_token_take_the_places_of_one_caller(alone, monkeypatch, path):
    monkeypatch.setattr("serving.gate.MOST_BODIES_OF_ONE", 0)
    response = sent(alone, path, {"token": "x", "language": "en"})
    assert (response.status_code, alone.events()) == (429, [])
    assert response.headers["content-type"].startswith("text/html")


def test_guessing_tokens_ends_with_the_quota_of_all_who_have_none(alone, monkeypatch):
    monkeypatch.setattr("serving.access.quotas.DENIED", Rate(per_minute=1, burst=2))
    answers = [sent(alone, SIGN_IN, {"token": "x"}) for _ in range(4)]
    assert [one.status_code for one in answers] == [401, 401, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 1
    # Two tries, and one event which says that it was not all.
    assert [event["reason"] for event in alone.events()] == ["malformed", "malformed", "further_tries_not_logged"]


@pytest.mark.parametrize(
    ("form", "kind", "status"),
    [("language=en&language=nb", None, 422), ("language=xx", None, 422), ("language=%ff", None, 422), ("æ", None, 422),
     ("x" * (sign_in.MOST_BYTES + 1), None, 413), ("{}", "application/json", 415)],
)  # fmt: skip
def test_a_form_that_cannot_be_read_changes_nothing(service, form, kind, status):
    headers = {"content-type": kind} if kind else {}
    for path in ("/ui/language",) if form == "language=xx" else ("/ui/language", SIGN_IN):
        response = sent(service, path, form, **headers)
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/html")
        assert "set-cookie" not in response.headers


# While parts of the service are missing


def test_without_keys_or_audit_log_nobody_comes_in_and_is_told_so(service, monkeypatch):
    form = {"token": service.issuer.token("clinician")}
    for part in ("tokens", "journal"):
        with monkeypatch.context() as patched:
            patched.setattr(service.parts, part, None)
            response = sent(service, SIGN_IN, form)
            assert (response.status_code, "set-cookie" in response.headers) == (503, False)
            page = shown(service, "/ui/help", cookie=f"{TOKEN_COOKIE}={form['token']}")
            assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
            assert 'href="/ui/help"' in page.text  # to try again


# Problems as pages

PROBLEMS = [Problem(status, kind, "t", "d") for kind, (status, _) in KINDS.items()]


@pytest.mark.parametrize("problem", [*PROBLEMS, problems.forbidden("no_care_relation")], ids=repr)
@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_problem_is_a_page_and_for_a_part_of_a_page_a_few_lines(problem, language):
    scope = {"type": "http", "method": "POST", "path": "/ui/persons/p1/what-if", "path_params": {"person_id": "p1"},
             "headers": [(b"cookie", f"{LANGUAGE_COOKIE}={language}".encode())]}  # fmt: skip
    whole = refusal(problem, scope)
    part = refusal(problem, scope | {"headers": [*scope["headers"], (b"hx-request", b"true")]})
    assert whole.status_code == part.status_code == problem.status
    assert f'<html lang="{language}">'.encode() in whole.body
    assert whole.body.count(b"<h1>") == 1
    assert (b"<html" in part.body, b'role="alert"' in part.body) == (False, True)
    assert ("hx-redirect" in part.headers) == (problem.status == 401)
    assert (b'action="/ui/persons/p1/care"' in whole.body) == (problem.reason == "no_care_relation")


def test_every_text_of_a_refusal_has_a_problem():
    assert set(SAID) - {"no_care_relation", "sent_by_another_site"} <= set(KINDS)


def test_a_refusal_keeps_when_to_try_again_and_asks_no_browser_for_a_password():
    scope = {"type": "http", "method": "POST", "path": "/ui/help", "headers": []}
    assert refusal(problems.quota_spent(7), scope).headers["retry-after"] == "7"
    assert "www-authenticate" not in refusal(problems.unauthenticated("expired"), scope).headers


def test_a_part_of_a_page_is_sent_whole_to_the_sign_in(service):
    response = shown(service, "/ui/help", hx_request="true")
    assert response.status_code == 401
    assert response.headers["hx-redirect"] == "/ui/sign-in?next=/ui/help&reason=no_token"


def test_what_is_no_page_is_told_as_a_page(service):
    for method, path, status in (("GET", "/ui/nothing", 404), ("GET", "/ui/sign-out", 404), ("POST", "/ui/help", 405)):
        response = shown(service, path, method)
        assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_the_head_of_a_page_can_be_asked_for(service):
    token = service.issuer.token("clinician")
    assert shown(service, "/ui/help", "HEAD", cookie=f"{TOKEN_COOKIE}={token}").status_code == 200
    assert shown(service, "/ui/help", "HEAD").status_code == 303
