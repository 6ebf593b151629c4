"""Which addresses messages may go to: https (http on this machine alone), and no private network unless that is said."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from data_contracts.errors import BalanceRiskError

_DEFAULT_PORTS = {"https": 443, "http": 80}


class AddressRefused(BalanceRiskError):
    """A message may not go there."""


def check_url(url: str) -> str:
    """Return the address of a receiver; raises ValueError where no message may ever go to such a one."""
    parts = urlsplit(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValueError("must be an address with a host, without a user, a password or a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        raise ValueError("must begin with https:// (http:// only for 127.0.0.1, ::1 and localhost)")
    _ = parts.port  # raises ValueError if it is none
    return url


async def resolved(url: str, *, allow_private: bool) -> str:
    """Return one checked numeric address of a receiver; a name that leads to any private one is refused.

    The connection goes to this very address: a name that is looked up again may lead elsewhere by then.
    """
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        raise AddressRefused("The receiver's name is not known.") from None
    addresses = [str(address[0]) for *_, address in found]
    if not allow_private and not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise AddressRefused("The receiver is in a private network. Set allow_private where that is meant.")
    if parts.scheme == "http" and not all(ipaddress.ip_address(one).is_loopback for one in addresses):
        raise AddressRefused("Without TLS messages stay on this machine.")
    return addresses[0]


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
