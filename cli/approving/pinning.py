"""Pinning a past run, whatever the data version says; and following the data version again."""

from __future__ import annotations

from cli.approving.keys import DIGITS, the_one
from cli.approving.settings import Setting, present
from cli.errors import CliError


def pin(stack: str, key: str = "") -> Setting:
    """Pinning the run whose key begins with *key*; without one, the run that is served now.

    Raises:
        CliError: there is none with a model, or it is not clear which; or the stack is a fleet's.
    """
    from cli.reporting.sources import Sources
    from cli.services.registry import open_registry
    from retrain_hooks.registry.run_key import key_of

    if present(stack, "members") not in ("", "{}"):
        raise CliError(
            f"{stack} is a fleet, whose members' models follow their data",
            f"set its data version instead: ./dev config set dataVersion VERSION -s {stack}",
            exit_code=2,
        )
    sources = Sources(stack, open_registry(stack))
    serving = key_of(str(sources.binding.get("address") or ""))
    if not key and not serving:
        raise CliError(
            f"{stack} serves no model yet", "name the run: ./dev pin KEY, as ./dev runs shows it", exit_code=2
        )
    usable = [run for run in sources.runs if run.state == "finished" and sources.registry.ledger.intact(run)]
    there = {run.key: run for run in reversed(usable)}
    found = there[
        the_one(key or serving, {key: run.data_version for key, run in there.items()}, "runs with a model")
    ]
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in list(found.metrics.items())[:3])
    about = f"run {found.key[:DIGITS]} of data version {found.data_version}{': ' if metrics else ''}{metrics}"
    then = (
        "it serves now, and goes on doing so, whatever dataVersion says"
        if found.key == serving
        else "the next update takes it to the gate and binds it, whatever dataVersion says; nothing is trained for that"
    )
    asks = present(stack, "gateApproval").lower() == "true" and present(stack, "approve") != found.key
    waits = ("it waits for an approval there",) if asks and found.key != serving else ()
    return Setting(stack, "pin", present(stack, "pin"), found.key, (about, then, *waits))


def unpin(stack: str) -> Setting:
    """Following the data version again."""
    then = f"the next update serves what dataVersion asks for: {present(stack, 'dataVersion')}"
    return Setting(stack, "pin", present(stack, "pin"), "", (then,))
