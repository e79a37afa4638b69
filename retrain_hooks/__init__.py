"""What happens on ``pulumi up``: dynamic providers, the ledger of training runs, the binding of models."""
