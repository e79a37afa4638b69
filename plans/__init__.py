"""What an update is going to do, as one list of stages: explained to people, frozen in a file, and held to by the update.

    plan.made_of(stack, document)   the plan in what an engine tells of its steps
    words.as_text(plan, width)      for a terminal; `markdown.as_markdown` for a pull request
    contract                        the plan as a file, and what of it holds no more
    approved                        its stages, to which providers are held while the update runs

A kind of resource has its own words in one file of `plans.stages`, found by the type's name.
"""
