"""Which addresses messages may go to: https (http on this machine alone), and no private network unless that is said."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urlsplit

from data_contracts.errors import BalanceRiskError
from serving.store.outbox import MOST_AT_ONCE

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOLD_IPV4 = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96")))
"""Networks of IPv6 of which the last 32 bits are an address of IPv4 (RFC 4291, RFC 6052)."""
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
_LOOK_UPS = ThreadPoolExecutor(MOST_AT_ONCE, "look-up")
"""Not the event loop's own threads: a loop ends only when these have, and a look-up cannot be broken off."""


class AddressRefused(BalanceRiskError):
    """A message may not go there."""


def check_url(url: str) -> str:
    """Return the address of a receiver; raises ValueError, which quotes nothing, where no message may ever go to such a one."""
    parts = _parts(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        raise ValueError("must be an address with a host, without a user, a password or a fragment")
    if not _can_be_looked_up(parts.hostname):
        raise ValueError(
            "must have a host in ASCII, of parts of 1 to 63 characters (of bücher.example: xn--bcher-kva.example)"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        raise ValueError("must begin with https:// (http:// only for 127.0.0.1, ::1 and localhost)")
    return url


async def resolved(url: str, *, allow_private: bool) -> str:
    """Return one checked numeric address of a receiver; a name that leads to any private one is refused.

    The connection goes to this very address: a name that is looked up again may lead elsewhere by then.
    """
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().run_in_executor(_LOOK_UPS, _looked_up, parts.hostname, port)
    except OSError:
        raise AddressRefused("The receiver's name is not known.") from None
    if not allow_private and not all(map(is_public, found)):
        raise AddressRefused("The receiver is in a private network. Set allow_private where that is meant.")
    if parts.scheme == "http" and not all(ipaddress.ip_address(one).is_loopback for one in found):
        raise AddressRefused("Without TLS messages stay on this machine.")
    return found[0]


def is_public(text: str) -> bool:
    """True if an address belongs to one machine of the internet, also where it holds one of IPv4 within one of IPv6."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or address in _LOCAL_NAT64:
            return False
        address = _held(address) or address
    return address.is_global and not address.is_multicast


def _held(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address of IPv4 to which a gateway or the system passes on what is sent to one of IPv6."""
    if any(address in network for network in _HOLD_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _looked_up(host: str | None, port: int) -> list[str]:
    return [str(address[0]) for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # its own text quotes the address
        raise ValueError("must be an address with a host, and a port only if it is a number up to 65535") from None
    return parts


def _can_be_looked_up(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isascii()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
