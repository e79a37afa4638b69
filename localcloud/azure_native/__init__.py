"""Stand-in for the `azure-native` Pulumi provider, answering from the local cloud's ARM side.

`python -m localcloud.azure_native --cloud-file FILE --port PORT` serves `pulumirpc.ResourceProvider` on
loopback. A run attaches to it with `PULUMI_DEBUG_PROVIDERS=azure-native:PORT`; programs written with
`pulumi_azure_native` 3.x then run unchanged.
"""
