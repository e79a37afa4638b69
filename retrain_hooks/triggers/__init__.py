"""When a stack is retrained by itself: one file a kind of trigger, found by itself (``declared.py``).

A kind is a module with three names:

::

    NAME = "age"                                  what an entry of the configuration's list `triggers` calls it

    class Settings(Inputs): ...                   what an entry says; its first property is the one that may stand alone
    def look(settings, scene) -> Facts            reads what there is to know; never writes
    def decide(settings, facts, now) -> Decision  pure: no clock, no service, no file
"""
