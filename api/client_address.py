"""The client's address, for rate limits and the audit log."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from litestar.connection import ASGIConnection

UNKNOWN = "unknown"
WIDEST = 64
"""Prefix length of an IPv6 network that belongs to one customer, who may use any address in it."""


def address_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Return the client's address; behind a trusted proxy, the address that the proxy reports."""
    try:
        address = ip_address(connection.client.host if connection.client else "")
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def network_of(address: str) -> str:
    """Return the network that an address counts for in rate limits: itself, and for IPv6 its /64."""
    if ":" not in address:
        return address
    return str(IPv6Network((address.partition("%")[0], WIDEST), strict=False))
