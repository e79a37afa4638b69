"""What is deleted because nothing names it any more, and how long logs become: while the local cloud runs, and at its start.

Journal, jobs and publishings are bounded where they are written.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from localcloud.works.context import Works

_GRACE_SECONDS = 3600  # from fetching a model to naming it
LONGEST_LOG = 5_000_000  # bytes


def tidy(works: Works, *, starting: bool = False) -> None:
    """Delete models and graphs that no experiment, endpoint or unfinished job names, old operations and uploads."""
    stale = works.bindings.still_served()
    models = works.experiments.models() | works.jobs.models()
    models |= {resource.sha256 for endpoint in stale for resource in endpoint.resources}
    works.models.keep_only(models, 0 if starting else _GRACE_SECONDS)
    works.services.forget_packages({endpoint.package for endpoint in stale})
    works.operations.forget_old()
    works.uploads.forget_old()


def bound_logs(directory: Path, longest: int = LONGEST_LOG) -> None:
    """Empty logs that are too long; what they held is beside them as `.old.log`.

    They are emptied in place: each process goes on writing at the end of its own.
    """
    for log in directory.glob("*.log"):
        if not log.name.endswith(".old.log") and log.stat().st_size > longest:
            shutil.copyfile(log, log.with_suffix(".old.log"))
            with log.open("r+b") as file:
                file.truncate()
