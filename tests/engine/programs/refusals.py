"""What the embedded engine refuses by name, and what the CLI does instead."""

from tests.engine.scenarios import Scenario

ONCE = (("preview", 1), ("up", 1))


def refused(name: str, program: str, what: str) -> Scenario:
    """A program of which nothing is done."""
    return Scenario(f"refused: {name}", program, ONCE, differs=f"refused: {what}")


REFUSALS = [
    refused("stack references", 'pulumi.StackReference("organization/demo/other")', "stack references"),
    refused(
        "assets",
        'Thing("a", {"asset": pulumi.StringAsset("text")})',
        "property 'asset' is an asset or archive",
    ),
    refused(
        "archives",
        'Thing("a", {"archive": pulumi.AssetArchive({"x": pulumi.StringAsset("text")})})',
        "property 'archive' is an asset or archive",
    ),
    refused(
        "transforms of a resource",
        'Thing("a", {"value": "v"}, Options(transforms=[lambda args: None]))',
        "transforms",
    ),
    refused(
        "transforms of the stack",
        """
pulumi.runtime.register_resource_transform(lambda args: None)
Thing("a", {"value": "v"})
""",
        "stack transforms",
    ),
    refused(
        "transforms of invokes",
        """
pulumi.runtime.register_invoke_transform(lambda args: None)
Thing("a", {"value": "v"})
""",
        "invoke transforms",
    ),
    refused(
        "deletedWith",
        """
a = Thing("a", {"value": "v"})
Thing("b", {"value": "v"}, Options(deleted_with=a))
""",
        "option deletedWith",
    ),
    refused(
        "replaceWith",
        """
a = Thing("a", {"value": "v"})
Thing("b", {"value": "v"}, Options(replace_with=[a]))
""",
        "option replaceWith",
    ),
    refused(
        "replacement triggers",
        'Thing("a", {"value": "v"}, Options(replacement_trigger=step))',
        "option replacementTrigger",
    ),
    refused(
        "hidden differences",
        'Thing("a", {"value": "v"}, Options(hide_diffs=["value"]))',
        "option hideDiffs",
    ),
    refused("import", 'Thing("a", {"value": "v"}, Options(import_="a-1"))', "option import"),
]
