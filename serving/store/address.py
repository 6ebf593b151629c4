"""Where a store or a log is, said to programs that speak no SQLAlchemy: a file, or the parameters of PostgreSQL's own tools."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from data_contracts.errors import SettingsError


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite URL, None for PostgreSQL; raises SettingsError, which does not quote the URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None and parsed.get_backend_name() == "postgresql":
        return None
    if parsed is None or parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise SettingsError(
            "BALANCE_RISK_STORE and BALANCE_RISK_AUDIT must be sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME."
        )
    return Path(parsed.database)


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file."""
    return f"sqlite:///{path.absolute()}"


def libpq_parameters(url: str) -> dict[str, str]:
    """Return a PostgreSQL URL as the parameters of its C library."""
    from psycopg.conninfo import conninfo_to_dict

    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return {name: str(value) for name, value in conninfo_to_dict(plain).items() if value is not None}


def in_schema(url: str, schema: str) -> str:
    """Return a PostgreSQL URL by which tables are looked for in one schema."""
    parsed = make_url(url)
    said = parsed.query.get("options", "")
    options = f"{said if isinstance(said, str) else ' '.join(said)} -csearch_path={schema}".strip()
    return parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
