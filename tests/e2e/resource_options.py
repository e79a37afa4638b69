"""The table of docs/resource-options.md: what each option of Pulumi does on each resource. `./dev docs resource-options` writes it.

Its refusals are asked of the resources themselves; what works is shown by the tests that CELLS name, on the local cloud.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pulumi
import pulumi_azure_native as azure_native

import components as ml
from components.models.endpoint import ModelBinding, Promotion, StudioEndpoint
from components.services.commitment_plan import CommitmentPlan
from components.services.web_service import StudioWebService
from components.shared.ownership import Lineage, StackClaim
from engine.testing import ProgramStack
from tests.e2e.checkout import SOURCE

PAGE = SOURCE / "docs/resource-options.md"
OPTIONS = [name for name in inspect.signature(pulumi.ResourceOptions).parameters if name != "self"]
DATA = "flights/{version}.csv"
COMPONENTS = ("Workspace", "TrainingWebService", "PredictiveWebService", "Endpoint")
PARTS = (
    "StudioWebService",
    "CommitmentPlan",
    "StudioEndpoint",
    "Promotion",
    "ModelBinding",
    "Lineage",
    "StackClaim",
)
RESOURCES = ("DataVersion", "TrainedModel", *PARTS)
ALL = (*COMPONENTS, *RESOURCES)
IGNORABLE: dict[str, tuple[str, ...]] = {
    kind.__name__: kind.ignorable
    for kind in (ml.DataVersion, ml.TrainedModel, StudioWebService, CommitmentPlan, StudioEndpoint, Promotion)
}
# Where each option works; everywhere else it is refused. Some the engine decides on, by itself.
WORKS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("parent", "depends_on", "protect", "aliases", "transformations", "hooks", "retain_on_delete"), ALL
    ),
    **dict.fromkeys(("provider", "providers"), ("Workspace",)),
    "ignore_changes": tuple(IGNORABLE),
}
BY_ENGINE: dict[str, tuple[str, ...]] = {"transforms": ALL, "hide_diffs": RESOURCES}


def sample(option: str) -> dict[str, Any]:
    """The option with a value, as a program gives it."""
    values: dict[str, Callable[[], Any]] = {
        "replace_on_changes": lambda: ["*"],
        "delete_before_replace": lambda: True,
        "additional_secret_outputs": lambda: ["url"],
        "custom_timeouts": lambda: pulumi.CustomTimeouts(create="1m"),
        "ignore_changes": lambda: ["address"],
        "provider": _provider,
        "providers": lambda: [_provider()],
        "version": lambda: "1.0.0",
        "plugin_download_url": lambda: "https://example.org/plugins",
        "import_": lambda: "there",
        "id": lambda: "there",
        "urn": lambda: "urn:pulumi:dev::retraining::a:b:C::there",
        "deleted_with": lambda: ml.DataVersion("other", target="local", path=DATA, version="2013-01"),
        "replace_with": lambda: [ml.DataVersion("other", target="local", path=DATA, version="2013-01")],
        "replacement_trigger": lambda: "again",
        "hide_diffs": lambda: ["version"],
        "env_var_mappings": lambda: {"A": "B"},
        "state_migrations": lambda: [lambda args: None],
    }
    return {option: values[option]()}


def _provider() -> pulumi.ProviderResource:
    return azure_native.Provider("given", location="westeurope")


def refusals(folder: Path) -> dict[tuple[str, str], str]:
    """What a program is told of each option on each resource that refuses it, by option and resource. Needs no cloud."""
    found: dict[tuple[str, str], str] = {}

    def program() -> None:
        place: dict[str, Any] = {"target": "local", "location": "westeurope", "owner_email": "a@example.org"}
        workspace = ml.Workspace("workspace", **place)
        data = ml.DataVersion("data", target="local", path=DATA, version="2013-01")
        training = ml.TrainingWebService("training", workspace=workspace, experiment="flights")
        model = ml.TrainedModel("model", service=training, data=data)
        published: dict[str, Any] = {"workspace": workspace, "experiment": "flights"}
        predictive = ml.PredictiveWebService("predictive", **published, model=model)
        plan: dict[str, Any] = {"group": "g", "default_name": "p", "location": "westeurope"}
        make: dict[str, Callable[..., Any]] = {
            "Workspace": lambda **o: ml.Workspace("one", **place, **o),
            "TrainingWebService": lambda **o: ml.TrainingWebService("one", **published, **o),
            "PredictiveWebService": lambda **o: ml.PredictiveWebService("one", **published, model=model, **o),
            "Endpoint": lambda **o: ml.Endpoint("one", service=predictive, candidate=model, **o),
            "DataVersion": lambda **o: ml.DataVersion(
                "one", target="local", path=DATA, version="2013-01", **o
            ),
            "TrainedModel": lambda **o: ml.TrainedModel("one", service=training, data=data, **o),
            "StudioWebService": lambda **o: StudioWebService("one", {"target": "local"}, **o),
            "CommitmentPlan": lambda **o: CommitmentPlan("one", target="local", **plan, **o),
            "StudioEndpoint": lambda **o: StudioEndpoint("one", {"target": "local"}, **o),
            "Promotion": lambda **o: Promotion("one", {"target": "local"}, **o),
            "ModelBinding": lambda **o: ModelBinding("one", {"target": "local"}, **o),
            "Lineage": lambda **o: Lineage("one", **o),
            "StackClaim": lambda **o: StackClaim("one", target="local", lineage="0" * 32, **o),
        }
        for option in OPTIONS:
            refusing = [each for each in ALL if each not in WORKS.get(option, ()) + BY_ENGINE.get(option, ())]
            given = sample(option) if refusing else {}
            for resource in [*refusing, *(WORKS[option] if option == "ignore_changes" else ())]:
                try:
                    make[resource](opts=pulumi.ResourceOptions(**given))
                except pulumi.RunError as refused:
                    found[option, resource] = str(refused)

    ProgramStack(program, folder).preview(check=False)
    return found


def cell(option: str, resource: str) -> str:
    """A cell of the table."""
    if resource in BY_ENGINE.get(option, ()):
        return "CLI only"
    if resource not in WORKS.get(option, ()):
        return "refused"
    return "works, on whole properties" if option == "ignore_changes" else "works"


HEADER = """# Options of resources

Pulumi's [resource options](https://www.pulumi.com/docs/iac/concepts/resources/options/) on what a program declares. An option
*works* as Pulumi's documents say, or the preview *refuses* it by name, whoever gave it: the program, or a transformation of
a parent or of the stack. A refusal ends the preview, and so the update, before anything is written. *CLI only* is done by
the Pulumi CLI, and refused by [the embedded engine](embedded-engine.md); what a CLI's transform gives is not seen by the
program, and so not refused. Generated by `./dev docs resource-options`.

"""
NOTES = """
A program gives its own options to `Workspace`, `TrainingWebService`, `PredictiveWebService`, `Endpoint`, `DataVersion` and
`TrainedModel`. The others are parts that these declare: they have their options by a transformation, and their parent is their
component's choice. An option of a component reaches its parts as far as Pulumi hands it on: `protect`, `retain_on_delete`,
`aliases`, providers and transformations do; the parts wait for what the component depends on, and what depends on a component
waits for all its parts. The resource group, the storage account and the workspace that a `Workspace` declares are azure-native's: they take all
options as azure-native does, by a transformation:

```python
def keep_tags(args):
    if args.type_.startswith("azure-native:storage"):
        kept = pulumi.ResourceOptions(ignore_changes=["tags"])
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, kept))


workspace = ml.Workspace("workspace", …, opts=pulumi.ResourceOptions(transformations=[keep_tags]))
```

What is deleted with something else is kept only together with it: `retain_on_delete` on a classic `Endpoint` asks for it on
its web service, too, and on a web service, or a New endpoint, for it on its `Workspace`; the preview says which. What was kept keeps the mark of its
owner ([who owns what](owners.md)).

## Targets

| option of `./dev up`, `preview`, `refresh`, `destroy` | |
| --- | --- |
| `--target URN` | works: the update is about this resource alone; `*` stands for anything |
{not_there} | refused, as no such option: name what the update is about with `--target`; the Pulumi CLI itself has them, `./dev pulumi up …` |
"""
NO_OPTIONS = ("--target-dependents", "--exclude", "--exclude-dependents", "--replace", "--target-replace")


def page(found: Mapping[tuple[str, str], str]) -> str:
    """The page's text; *found* are the refusals."""
    columns = {each: tuple(cell(option, each) for option in OPTIONS) for each in ALL}
    alike = {column: [each for each in ALL if columns[each] == column] for column in columns.values()}
    titles = ["option", *(", ".join(f"`{each}`" for each in group) for group in alike.values())]
    rows = [titles, ["---"] * len(titles)]
    rows += [[f"`{option}`", *(column[at] for column in alike)] for at, option in enumerate(OPTIONS)]
    ignorable = [["resource", "properties"], ["---", "---"]]
    ignorable += [
        [f"`{each}`", ", ".join(f"`{name}`" for name in names)] for each, names in IGNORABLE.items()
    ]
    told: dict[tuple[str, str, str], list[str]] = {}
    for option in OPTIONS:
        of: dict[tuple[str, str], list[str]] = {}
        for resource in (each for each in ALL if cell(option, each) == "refused"):
            cause, _, remedy = found[option, resource].partition("\nremedy: ")
            of.setdefault((cause.partition(" is refused: ")[2], remedy), []).append(resource)
        for (because, remedy), resources in of.items():
            told.setdefault((_among(resources), because, remedy), []).append(f"`{option}`")
    why = [["options", "of", "because", "instead"], ["---"] * 4]
    why += [[", ".join(options), *reason] for reason, options in told.items()]
    notes = NOTES.replace("{not_there}", "| " + ", ".join(f"`{each}`" for each in NO_OPTIONS))
    return (
        f"{HEADER}{_table(rows)}{notes}\n## What changes can be ignored\n\n{_table(ignorable)}"
        f"\n## Why an option is refused\n\n{_table(why)}"
    )


def _among(resources: list[str]) -> str:
    if set(resources) == set(ALL):
        return "all"
    if set(COMPONENTS) <= set(resources):
        resources = ["components", *(each for each in resources if each not in COMPONENTS)]
    if set(RESOURCES) <= set(resources):
        resources = [*(each for each in resources if each not in RESOURCES), "all others"]
    return ", ".join(f"`{each}`" if each in ALL else each for each in resources)


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def write() -> None:
    """Ask for all refusals and write the page."""
    with TemporaryDirectory() as folder:
        PAGE.write_text(page(refusals(Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    write()
