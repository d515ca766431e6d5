"""Where a request comes from, as limits count it and the audit log has it."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from litestar.connection import ASGIConnection

UNKNOWN = "unknown"
WIDEST = 64
"""Bits of an IPv6 address that one connection to the internet has to itself: it may choose the others as it likes."""


def address_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """The client's address: behind a proxy that is trusted, the one that the proxy tells."""
    try:
        address = ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def network_of(address: str) -> str:
    """Whose limits an address counts for: itself, and for IPv6 the /64 around it."""
    if ":" not in address:
        return address
    return str(IPv6Network((address.partition("%")[0], WIDEST), strict=False))
