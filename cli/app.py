"""The tree of verbs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from cli.authoring import data as data_verbs
from cli.authoring import experiment as experiment_verbs
from cli.guard import guarded
from cli.guidance.completing import VARIABLE, get_ready
from cli.guidance.examples import epilog
from cli.guidance.usage import usage_told
from cli.verbs.deploying.adopt import adopt
from cli.verbs.deploying.cancel import cancel
from cli.verbs.deploying.deploy import destroy, preview, refresh, up
from cli.verbs.deploying.output import output
from cli.verbs.deploying.pulumi import pulumi
from cli.verbs.deploying.watch import watch
from cli.verbs.models import fleet as fleet_verbs
from cli.verbs.models import runs as runs_verbs
from cli.verbs.models.approve import approve, pin, unpin
from cli.verbs.models.mirror import mirror
from cli.verbs.models.report import report
from cli.verbs.models.ui import ui
from cli.verbs.settings import config as config_verbs
from cli.verbs.settings import definition as definition_verbs
from cli.verbs.settings import stack as stack_verbs
from cli.verbs.tooling import cloud as cloud_verbs
from cli.verbs.tooling.bench import bench
from cli.verbs.tooling.checks import chaos, docs, fuzz, lint, test
from cli.verbs.tooling.completion import completion
from cli.verbs.tooling.help import help_
from cli.verbs.tooling.verify import verify_azure

SHORT = {"help_option_names": ["-h", "--help"]}
PLAIN: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "no_args_is_help": True,
    "context_settings": SHORT,
}
# Verbs that hand all their arguments on.
PASSING: dict[str, Any] = {
    "context_settings": {"ignore_unknown_options": True, "help_option_names": []},
    "add_help_option": False,
}


def build() -> typer.Typer:
    """The command line."""
    app = typer.Typer(help="Retraining as code: train, bind and serve a model from one program.", **PLAIN)
    _add(
        app,
        up,
        preview,
        refresh,
        destroy,
        output,
        approve,
        pin,
        unpin,
        report,
        ui,
        cancel,
        watch,
        verify_azure,
    )
    cloud = typer.Typer(help="The local cloud: Azurite, the studio, the azure-native stand-in.", **PLAIN)
    _add(
        cloud,
        cloud_verbs.start,
        cloud_verbs.page,
        cloud_verbs.stop,
        cloud_verbs.status,
        cloud_verbs.logs,
        cloud_verbs.reset,
    )
    config = typer.Typer(help="The stack's configuration.", **PLAIN)
    _add(config, config_verbs.get, config_verbs.set_, config_verbs.unset)
    runs = typer.Typer(
        help="The training runs of all stacks, and their models.", **{**PLAIN, "no_args_is_help": False}
    )
    runs.callback(invoke_without_command=True)(guarded(runs_verbs.list_))
    _add(runs, runs_verbs.show, runs_verbs.prune, mirror)
    stack = typer.Typer(help="The project's stacks and their state.", **PLAIN)
    _add(stack, stack_verbs.init, stack_verbs.export, stack_verbs.import_, stack_verbs.ls, stack_verbs.rm)
    app.add_typer(stack, name="stack")
    definition = typer.Typer(help="Definitions of New web services, as files.", **PLAIN)
    _add(definition, definition_verbs.export, definition_verbs.import_)
    _add(app, adopt)
    app.add_typer(definition, name="definition")
    experiment = typer.Typer(help="Begin an experiment, check it, try it, look at it.", **PLAIN)
    _add(experiment, experiment_verbs.new, experiment_verbs.check, experiment_verbs.run)
    _add(experiment, experiment_verbs.predictive, experiment_verbs.show)
    app.add_typer(experiment, name="experiment")
    data = typer.Typer(help="Versions of tables, which models are trained from.", **PLAIN)
    _add(data, data_verbs.put, data_verbs.ls, data_verbs.show, data_verbs.diff)
    app.add_typer(data, name="data")
    fleet = typer.Typer(help="The members of a stack's fleet.", **PLAIN)
    _add(fleet, fleet_verbs.status, fleet_verbs.explain, fleet_verbs.retry)
    app.add_typer(fleet, name="fleet")
    app.add_typer(runs, name="runs")
    app.add_typer(config, name="config")
    app.add_typer(cloud, name="cloud")
    _add(app, pulumi, test, **PASSING)
    _add(app, lint, docs, bench, chaos, fuzz, help_, completion)
    _give_examples(app)
    return app


def main(arguments: list[str]) -> None:
    """Run one verb; `help VERB` is another way to write `VERB --help`, and a quicker one than to parse it as a verb."""
    _reach_loopback_directly()
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    get_ready()
    with usage_told():
        sys.exit(build()(arguments, prog_name="./dev", complete_var=VARIABLE, standalone_mode=False) or 0)


def _reach_loopback_directly() -> None:
    """Keep a proxy of the environment away from the local cloud, here and in all that is started from here."""
    for name in ("NO_PROXY", "no_proxy"):
        known = os.environ.get(name, "")
        if known != "*" and "127.0.0.1" not in known.split(","):
            os.environ[name] = f"{known},127.0.0.1,localhost".lstrip(",")


def _add(app: typer.Typer, *verbs: Callable[..., None], **settings: Any) -> None:
    for verb in verbs:
        app.command(_name(verb), **settings)(guarded(verb))


def _name(verb: Callable[..., None]) -> str:
    return verb.__name__.rstrip("_").replace("_", "-")


def _give_examples(app: typer.Typer, path: str = "") -> None:
    """Let the help of each verb end with its examples."""
    for command in app.registered_commands:
        command.epilog = epilog(f"{path}{command.name}")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            group.epilog = epilog(f"{path}{group.name}")
            _give_examples(group.typer_instance, f"{path}{group.name} ")
