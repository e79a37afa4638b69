"""Runs, verdicts and what is bound, mirrored to an MLflow tracking server.

facts    what there is to mirror, as plain values
server   the tracking server, by MLflow's own client
mirror   the difference, written
"""
