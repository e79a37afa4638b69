"""Azure Machine Learning's managed online endpoints: one address, deployments behind it, the split of their traffic.

Shape: `rules` is what the service refuses, `wire` how requests are read and documents shown, `state` what is kept,
`access` who may score; `online_endpoints` and `deployments` are the operations of Resource Manager, `provisioning` what
goes on behind them, and `scoring` the address that answers calls. What runs a model is in `localcloud/azureml/serving`.
"""
