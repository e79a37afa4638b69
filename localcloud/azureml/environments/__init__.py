"""Environments of jobs and deployments: a Python of their own with the packages that a conda file names, made by uv.

`recipe` reads what an environment asks for, `making` makes it once and keeps it below the data directory. There are no
containers here: an image is not run, and a Dockerfile not built.
"""
