"""Single calls that do not load certificates for a server without any: that takes 20 ms each."""

from __future__ import annotations

from functools import partial

import httpx

get = partial(httpx.get, verify=False)
post = partial(httpx.post, verify=False)
put = partial(httpx.put, verify=False)
delete = partial(httpx.delete, verify=False)
Client = partial(httpx.Client, verify=False, timeout=10)
