"""Who may use a service that has keys."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lafd.serve.refusals import RefusedError

Credentials = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="A key of the service.")),
]


async def need_key(request: Request, credentials: Credentials) -> None:
    """Lets a request pass if it has one of the keys.

    Raises:
        RefusedError: The key is missing or wrong.
    """
    key_digests: tuple[bytes, ...] = request.app.state.service.settings.key_digests
    given = hashlib.sha256((credentials.credentials if credentials else "").encode()).digest()
    # every key is compared, in constant time, so that the time tells nothing
    if sum(hmac.compare_digest(given, digest) for digest in key_digests) == 0:
        raise RefusedError(401, "this service needs a key: send it as Authorization: Bearer KEY.")
