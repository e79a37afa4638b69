"""Faults on request: a studio that was started with ``--allow-faults`` misbehaves as its rules say.

`rules` is what can be asked for, `state` decides what fires, `routes` and `errors` are the API below
``/_local/faults``. The faults themselves are where they belong: answers in `middleware` (and, before Azurite, in
`studio.blob.misbehaving`), jobs in `jobs`, models in `binding`. A restarted studio has no rules.
"""
