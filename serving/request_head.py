"""What stands above the body of a request: token, purpose, query. Said twice is not said: whoever stands between the caller
and us may have read the other one."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.types import Scope

from serving import problems
from serving.access.policy import Purpose
from serving.access.tokens import TokenRefused
from serving.call import LANGUAGES, Endpoint, Language
from serving.problems import Refused
from serving.settings import Settings

TOKEN_COOKIE, LANGUAGE_COOKIE = "balance_risk_token", "balance_risk_language"


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the one header of that name; None if there is none, or more than one."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0] if len(found) == 1 else None


def cookie(scope: Scope, name: str) -> str:
    """Return the cookie of that name, empty if there is none, or more than one."""
    pairs = (pair.strip().partition("=") for pair in (header(scope, b"cookie") or b"").decode("latin-1").split(";"))
    found = [value for key, _, value in pairs if key == name]
    return found[0] if len(found) == 1 else ""


def token_cookie(settings: Settings) -> str:
    """Return the name of the cookie with the token: in production browsers take one of this name over TLS only, so that
    nobody on the way, and no page without TLS, can plant another."""
    return f"__Secure-{TOKEN_COOKIE}" if settings.mode == "production" else TOKEN_COOKIE


def is_same_origin(scope: Scope, settings: Settings) -> bool:
    """True if a browser says that a page of ours has sent this, which no other site can make it say."""
    site = header(scope, b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin, host = header(scope, b"origin") or b"", header(scope, b"host") or b""
    # In production readers reach us over TLS, whatever a proxy speaks to us; a page without it is another's.
    schemes = (b"https",) if settings.mode == "production" else (b"https", b"http")
    return bool(host) and origin in [b"%b://%b" % (scheme, host) for scheme in schemes]


def has_no_token(scope: Scope, settings: Settings) -> bool:
    """True if nothing is sent that could be a token, good or bad."""
    names = {name for name, _ in scope["headers"]}
    cookies = b";".join(value for name, value in scope["headers"] if name == b"cookie")
    return b"authorization" not in names and token_cookie(settings).encode() not in cookies


def bearer(scope: Scope, settings: Settings, *, is_page: bool) -> str:
    """Return the token, of a page also that of the cookie; raises TokenRefused if there is not exactly one."""
    signed_in = cookie(scope, token_cookie(settings)) if is_page else ""
    if signed_in and not any(key == b"authorization" for key, _ in scope["headers"]):
        return signed_in
    scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise TokenRefused("no_token")
    return token.decode("ascii", "replace").strip()


def language(scope: Scope) -> Language:
    """Return the language that the reader has chosen; Norwegian where none was."""
    chosen = cookie(scope, LANGUAGE_COOKIE)
    return next((one for one in LANGUAGES if one == chosen), LANGUAGES[0])


def purpose(scope: Scope, endpoint: Endpoint) -> Purpose | None:
    """Return the declared purpose, None if it is none of ours; that of a page is its own."""
    if endpoint.purpose is not None:
        return endpoint.purpose
    found = (header(scope, b"x-purpose-of-use") or b"").decode("ascii", "replace")
    return Purpose(found) if found in set(Purpose) else None


def query_of(scope: Scope, endpoint: Endpoint) -> QueryParams:
    """Return the query; the form of a page sends fields that were left empty too, which say nothing."""
    found = QueryParams(scope.get("query_string", b""))
    return QueryParams([pair for pair in found.multi_items() if pair[1]]) if endpoint.is_page else found


def query(endpoint: Endpoint, scope: Scope) -> QueryParams:
    """Return the query; raises Refused for a parameter that the endpoint does not have, or not more than once."""
    found, known = QueryParams(scope.get("query_string", b"")), endpoint.query or {}
    if not found.keys() <= known.keys():
        raise Refused(problems.invalid_query(f"a parameter is not known; known are: {', '.join(known) or 'none'}"))
    for name, schema in known.items():
        if schema["type"] != "array" and len(found.getlist(name)) > 1:
            raise Refused(problems.invalid_query(f"{name} stands more than once"))
    return found
