"""The operations on resources, and the words and marks for them; those of the CLI."""

from __future__ import annotations

# Mark and colour.
SYMBOLS = {
    "same": ("  ", "dim"),
    "create": ("+ ", "green"),
    "update": ("~ ", "yellow"),
    "delete": ("- ", "red"),
    "replace": ("+-", "magenta"),
    "create-replacement": ("++", "green"),
    "delete-replaced": ("--", "red"),
    "read": ("> ", "cyan"),
    "read-replacement": (">>", "cyan"),
    "refresh": ("~ ", "yellow"),
    "discard": ("< ", "red"),
    "discard-replaced": ("<<", "red"),
    "remove-pending-replace": ("~ ", "dim"),
    # Outcomes that Pulumi has no word for.
    "adopt": ("> ", "cyan"),
    "take over": ("> ", "cyan"),
    "create or take over": ("+ ", "green"),
    "withhold": ("  ", "dim"),
    "leave": ("< ", "dim"),
}
PAST = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "create-replacement": "created replacement",
    "delete-replaced": "deleted original",
    "read": "read",
    "refresh": "refreshed",
    "discard": "discarded",
    "adopt": "adopted",
    "take over": "taken over",
    "create or take over": "created or taken over",
    "withhold": "withheld",
    "leave": "left",
}
ONGOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "create-replacement": "creating replacement",
    "delete-replaced": "deleting original",
    "read": "reading",
    "refresh": "refreshing",
}
TITLES = {"preview": "Previewing update", "up": "Updating", "refresh": "Refreshing", "destroy": "Destroying"}
