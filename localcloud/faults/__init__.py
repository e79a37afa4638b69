"""Faults on request: a local cloud that was started with ``--allow-faults`` misbehaves as its rules say.

`rules` is what can be asked for, `state` decides what fires, `localcloud.server.faults_routes` is the API below
``/_local/faults``. The faults themselves are with what they make misbehave: answers in `middleware`, blobs in
`localcloud.blobs.misbehaving`, jobs in `localcloud.works.batch.misbehaving`, models in `localcloud.works.bindings`. A restarted local cloud has no rules.
"""
