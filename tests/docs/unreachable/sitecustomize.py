"""
Python imports this module of its own accord when it finds it; see `tests/docs/test_docs.py`.

It makes every address but this machine's own unreachable.
"""

import errno
import ipaddress
import socket
import sys


def is_here(host):
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def refuse(event, arguments):
    if event == "socket.getaddrinfo" and not is_here(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, f"no network in documentation: {arguments[0]!r}")
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(errno.ENETUNREACH, f"no network in documentation: {address[0]!r}")


sys.addaudithook(refuse)
