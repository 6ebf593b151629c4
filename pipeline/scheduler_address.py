"""Which addresses of a Dask scheduler are taken: this machine's, or tls:// with certificates."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from data_contracts.errors import SettingsError

_ADDRESS = re.compile(r"(tcp|tls)://[^\s/]+:(\d{1,5})")
_LARGEST_PORT = 2**16 - 1
_THIS_MACHINE = re.compile(r"tcp://(localhost|127(\.\d{1,3}){3}|\[::1\]):\d+")

_TLS = {
    "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": "distributed.comm.tls.ca-file",
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT": "distributed.comm.tls.client.cert",
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY": "distributed.comm.tls.client.key",
}
"""What a client needs for tls://: environment variable -> the setting of Dask that it stands for."""


def refuse_address(scheduler: str, configured: Callable[[str, None], Any]) -> None:
    """Raise SettingsError for what is no address, for another machine by tcp://, and for tls:// without certificates.

    ``configured`` gives a setting of Dask, or its second argument.
    """
    address = _ADDRESS.fullmatch(scheduler)
    if not address or not 0 < int(address[2]) <= _LARGEST_PORT:
        raise SettingsError(f"--scheduler {scheduler!r} is no address. Write it as tls://host:8786.")
    if address[1] == "tls":
        _refuse_without_certificates(configured)
    elif not _THIS_MACHINE.fullmatch(scheduler):
        raise SettingsError(
            f"--scheduler {scheduler!r}: what goes to another machine needs tls://, with certificates. By tcp:// records "
            "travel in clear text, and whoever answers there can run code in this process. See docs/deploy/dask.md."
        )


def _refuse_without_certificates(configured: Callable[[str, None], Any]) -> None:
    named = {variable: configured(setting, None) for variable, setting in _TLS.items()}
    lacking = [variable for variable, path in named.items() if not (path and os.path.isfile(path))]
    if lacking:
        raise SettingsError(
            f"tls:// needs certificates: {', '.join(lacking)} (or the same in Dask's configuration) must name a file that "
            "is there."
        )
