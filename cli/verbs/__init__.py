"""One module a verb. What is heavy is imported inside the verbs, so that `./dev help` stays quick."""
