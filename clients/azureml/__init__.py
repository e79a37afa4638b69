"""Azure Machine Learning v2: command jobs, models with versions, online endpoints with deployments and traffic."""
