"""New web services: ``Microsoft.MachineLearning/webServices`` of Azure Resource Manager (api-version 2017-01-01)."""
