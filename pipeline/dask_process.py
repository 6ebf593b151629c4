"""What each process of a cluster of ours does first; Dask imports this module there, by its name."""

from __future__ import annotations

import os
from multiprocessing import parent_process
from typing import Any


def dask_setup(node: Any) -> None:
    """Stop the HTTP server of a scheduler or worker; Dask calls this by its name."""
    node.http_server.stop()
    if (
        parent_process() is not None
    ):  # a worker: its output is that of the verb, and LightGBM writes what it is told not to
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
