"""Pages about a stack or a local cloud, for people, and the same as JSON: whoever serves them gives them a `Source`.

They are HTML that Jinja makes, with one style sheet and one script of their own; nothing comes from elsewhere.

    facts.Source           what a page asks of whoever knows
    door.Door              who may come in: links that sign in once, sessions, by which names, from where
    app.routes, app.served the pages below a path of another application, or as one of their own
"""
