"""Worlds that change between `preview --save-plan` and `up --plan`: each update is refused by the name of what differs.

house      a stack with two models, and the plan of a retraining
changes    the kinds of changes, each done and undone, with the names that it must be refused by
played     worlds that are drawn from them, what came of each, and the figures
"""
