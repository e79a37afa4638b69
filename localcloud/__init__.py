"""The local cloud: Azure Machine Learning Studio (classic) on loopback.

One process serves two ports: the APIs (Studio API, classic management, request-response and batch
execution, ARM) and a thin proxy before the blob store. Nothing outside this package imports it; it is
started as ``python -m localcloud`` and spoken to over HTTP.
"""
