"""The kinds of resources that a plan has words for, a file a kind; see `plans.stage`."""
