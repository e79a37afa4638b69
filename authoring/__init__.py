"""What a person does with an experiment before anything is deployed: begin one, check it, try it, look at it.

    look(frame)                 what a table holds, column by column
    choose_task(profile, …)     what a model of it would be trained for, and why
    draft(…)                    the training graph, to begin with
    derive(training)            the predictive graph that goes with a training graph
    problems(…)                 what a preview would refuse, with node and line
    try_out(…)                  a model trained and measured here, with nothing deployed

Nothing here knows a service, a stack or a terminal.
"""
