"""Kind azureml in trouble: rollouts beside a client that scores all the time (``./dev chaos --rollouts``)."""
