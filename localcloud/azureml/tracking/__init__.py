"""MLflow's tracking server of each workspace (REST API 2.0), to which clients inside and outside of jobs log.

`state` keeps experiments, runs, metrics and logged models; `search` finds runs; `access` says who may write what;
`routes` has the operations, `artifacts` those on files.
"""
