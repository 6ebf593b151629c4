"""What a scheduler or worker of Dask does first where no page of it is wanted: ``--preload pipeline.dask_without_http``.

``--no-dashboard`` leaves out the dashboard only: plain HTTP, without certificate or password, is still answered.
"""

from __future__ import annotations

from typing import Any


def dask_setup(node: Any) -> None:
    """Stop the HTTP server of a scheduler or worker; Dask calls this by its name."""
    node.http_server.stop()
