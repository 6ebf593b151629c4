"""What a user is told when the registry refuses or breaks off: where, what, and what to do; never what the server said.

A server's own words may repeat what was sent.
"""

from __future__ import annotations

from typing import Any

from models.registry_address import is_server

_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow reports a missing alias as INVALID_PARAMETER_VALUE, a missing version or model as RESOURCE_DOES_NOT_EXIST."""

_UNKNOWN = ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED")


def explained(error: Any, tracking_uri: str, missing: str) -> str:
    """Return the message for an exception of MLflow; ``missing`` is said where something is not there."""
    code = str(error.error_code)
    if code in _MISSING:
        return f"{missing} (registry {tracking_uri}). Run: balance-risk register, then: balance-risk promote"
    if code in _UNKNOWN:
        return _unknown(tracking_uri)
    if code == "PERMISSION_DENIED":
        return _forbidden(tracking_uri)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"The model registry at {tracking_uri} shows a certificate that this machine does not trust. Name that of your "
            "authority in MLFLOW_TRACKING_SERVER_CERT_PATH."
        )
    if "/mlflow-artifacts/" in str(error):
        return _no_file(tracking_uri)
    return f"The model registry at {tracking_uri} failed: {code}. Check that the server is up and try again."


def broken_off(error: Exception, tracking_uri: str) -> str:
    """Return the message for what is no exception of MLflow: a file, a database, a transfer of files."""
    if not is_server(tracking_uri):
        return cannot_use(tracking_uri)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return _unknown(tracking_uri)
    if status == 403:
        return _forbidden(tracking_uri)
    if status is None:
        return (
            f"The model registry at {tracking_uri} broke off while files were transferred. Check that the server is up and "
            "try again."
        )
    return _no_file(tracking_uri)


def cannot_use(tracking_uri: str) -> str:
    """Return the message for a database file that does not open."""
    return (
        f"The model registry at {tracking_uri} cannot be used. Check that the place exists, can be written and is not "
        "locked by another process."
    )


def _no_file(tracking_uri: str) -> str:
    return (
        f"The model registry at {tracking_uri} did not take or give a file. Its log says why: most often its object store is "
        "away, the bucket is missing, or its keys do not open it."
    )


def _unknown(tracking_uri: str) -> str:
    return (
        f"The model registry at {tracking_uri} does not know this account. Set MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    )


def _forbidden(tracking_uri: str) -> str:
    return (
        f"The model registry at {tracking_uri} does not let this account do that, or does not know the name it was called by "
        "(mlflow server --allowed-hosts). Ask whoever runs it."
    )
