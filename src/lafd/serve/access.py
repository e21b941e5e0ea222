"""Who may use the service: everybody, or those with a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lafd.serve.refusals import RefusedError

Credentials = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="Needed only where the operator has set keys.")),
]


async def need_key(request: Request, credentials: Credentials) -> None:
    """Lets a request pass if no keys are set, or if it has one of them.

    Raises:
        RefusedError: The key is missing or wrong.
    """
    key_digests: tuple[bytes, ...] = request.app.state.service.settings.key_digests
    if not key_digests:
        return
    given = hashlib.sha256((credentials.credentials if credentials else "").encode()).digest()
    # every key is compared, in constant time, so that the time tells nothing
    if sum(hmac.compare_digest(given, digest) for digest in key_digests) == 0:
        raise RefusedError(401, "this service needs a key: send it as Authorization: Bearer KEY.")
