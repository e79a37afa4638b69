"""The gate between a trained model and an endpoint."""
