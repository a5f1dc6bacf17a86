"""`python -m kpass_vc.healthy`: exit status 0 if the service on this machine answers; the image's health check.

It asks this machine alone, and reads only where the service listens: it has to be quick, and to answer
whatever else is wrong.
"""

import os
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final

_SECONDS: Final = 3.0


def is_healthy(port: int, *, tls: bool) -> bool:
    """Whether /healthz answers on a port of this machine."""
    connection = _connection(port, tls=tls)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _connection(port: int, *, tls: bool) -> HTTPConnection:
    if not tls:
        return HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    # the certificate is of the public name, and what is asked for is no secret
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection("127.0.0.1", port, timeout=_SECONDS, context=context)


if __name__ == "__main__":
    port = int(os.environ.get("KPASS_PORT", "8000"))
    sys.exit(not is_healthy(port, tls=bool(os.environ.get("KPASS_TLS_CERT"))))
