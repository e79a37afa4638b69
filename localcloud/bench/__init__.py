"""What training and scoring cost, beside the libraries alone; what request-response costs, beside a bare server."""
