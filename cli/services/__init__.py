"""What verbs ask of the services of a stack's target: runs and models, what an endpoint answers, what can be adopted."""
