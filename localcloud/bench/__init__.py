"""What request-response costs, beside a bare server with the same model."""
