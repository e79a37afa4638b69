"""The Batch Execution Service: jobs that are submitted, started, polled and cancelled (api-version 2.0)."""
