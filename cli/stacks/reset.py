"""Whether a stack's state speaks of a local cloud that is no more."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cli.cloud import settings
from cli.project import backend_of, cloud_file, is_local

_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})/", re.IGNORECASE)


def cloud_was_reset(stack: str, overrides: Mapping[str, str]) -> bool:
    """Whether all that the stack has in the local cloud was in one that `./dev cloud reset` has deleted.

    A new local cloud has a subscription of its own. Only reading how the resources are tells the state that they are gone.
    """
    if not is_local(stack, overrides):
        return False
    backend, cloud = backend_of(stack), settings.load(cloud_file())
    text = backend.read() if backend else None
    if text is None or cloud is None:
        return False
    named = set(_SUBSCRIPTION.findall(text))
    return bool(named) and cloud.subscription not in named
