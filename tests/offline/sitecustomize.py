"""Keeps the tests off the network: every Python process whose PYTHONPATH has this folder reads this file first.

An attempt to reach another machine fails as it would without a network, and is written to the file that the
variable LAFD_ATTEMPTS names, so that code which swallows the error is found as well.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

# Events of sys.addaudithook: those with the place of the address among their arguments, those whose first is a host.
_CONNECTING = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_LOOKING_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_OWN_NAMES = {"", "localhost", socket.gethostname()}


def address_of(host: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is given by, None if it is given by a name."""
    try:
        return ipaddress.ip_address(name_of(host).partition("%")[0])
    except ValueError:
        return None


def name_of(host: object) -> str:
    """A host as text."""
    return host.decode() if isinstance(host, bytes) else str(host or "")


def is_here(host: object) -> bool:
    """Whether a host's name or address is this machine."""
    address = address_of(host)
    return name_of(host) in _OWN_NAMES if address is None else address.is_loopback or address.is_unspecified


def forbid(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook."""
    if event in _CONNECTING:
        address = arguments[_CONNECTING[event]]
        if arguments[0].family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        if event == "socket.connect" and arguments[0].type == socket.SOCK_DGRAM:
            return  # sends nothing; some programs learn their own address in this way
        host = address[0]
    elif event in _LOOKING_UP:
        host = arguments[0]
        if event != "socket.gethostbyaddr" and address_of(host):
            return  # a number needs nobody's answer
    else:
        return
    if not is_here(host):
        report(f"{event} {host}")
        raise OSError(errno.ENETUNREACH, f"the tests may not reach {host}")


def report(attempt: str) -> None:
    """Appends an attempt, and the code that made it, to the file of attempts."""
    if path := os.environ.get("LAFD_ATTEMPTS"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{attempt}\n{''.join(traceback.format_stack(limit=24)[:-2])}\n")


sys.addaudithook(forbid)
