"""What stands above the body of a request: token, purpose, query. Said twice is not said: whoever stands between the caller
and us may have read the other one."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.types import Scope

from serving import problems
from serving.access.policy import Purpose
from serving.access.tokens import TokenRefused
from serving.call import Endpoint
from serving.problems import Refused


def header(scope: Scope, name: bytes) -> bytes | None:
    """Return the one header of that name; None if there is none, or more than one."""
    found = [value for key, value in scope["headers"] if key == name]
    return found[0] if len(found) == 1 else None


def bearer(scope: Scope) -> str:
    """Return the token; raises TokenRefused if there is not exactly one."""
    scheme, _, token = (header(scope, b"authorization") or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token:
        raise TokenRefused("no_token")
    return token.decode("ascii", "replace").strip()


def purpose(scope: Scope) -> Purpose | None:
    """Return the declared purpose, None if it is none of ours."""
    found = (header(scope, b"x-purpose-of-use") or b"").decode("ascii", "replace")
    return Purpose(found) if found in set(Purpose) else None


def query(endpoint: Endpoint, scope: Scope) -> QueryParams:
    """Return the query; raises Refused for a parameter that the endpoint does not have, or not more than once."""
    found, known = QueryParams(scope.get("query_string", b"")), endpoint.query or {}
    if not found.keys() <= known.keys():
        raise Refused(problems.invalid_query(f"a parameter is not known; known are: {', '.join(known) or 'none'}"))
    for name, schema in known.items():
        if schema["type"] != "array" and len(found.getlist(name)) > 1:
            raise Refused(problems.invalid_query(f"{name} stands more than once"))
    return found
