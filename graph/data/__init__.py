"""Tables on their way through a graph: in memory, typed, as files and as the rows of requests."""
