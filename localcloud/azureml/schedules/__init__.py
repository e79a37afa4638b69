"""Schedules that really fire: `times` says when one is due, `operations` answers Resource Manager, `firing` submits the jobs."""
