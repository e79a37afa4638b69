"""Command jobs that really run: a process in an environment of its own, without this server's secrets or environment.

`request` checks what was sent, `operations` answers Resource Manager, `state` keeps jobs, `runner` brings one after the
other to its end: `preparing` the folder and environment, `supervisor` (a process of its own, which outlives a killed
server) around the command, `watching` it with `logs`, and `finishing`.
"""
