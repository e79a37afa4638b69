"""Dates and times: what Studio left to SQL and scripts."""
