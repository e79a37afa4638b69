"""What helps at the prompt: examples in each help, completion, and what is meant by a mistyped word."""
