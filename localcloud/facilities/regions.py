"""Where resources can be: Azure's regions, and those that have each type.

Studio was in few of them; everything else here is in all. Resource Manager lists them by resource provider.
"""

from __future__ import annotations

STUDIO = ("South Central US", "West Europe", "Southeast Asia", "Japan East", "West Central US", "East US 2")
EVERYWHERE = (
    *STUDIO,
    *("East US", "West US", "West US 2", "West US 3", "Central US", "North Central US", "Canada Central", "Canada East"),
    *("Brazil South", "North Europe", "UK South", "UK West", "France Central", "Germany West Central", "Germany Central"),
    *("Norway East", "Sweden Central", "Switzerland North", "Italy North", "Spain Central", "Poland Central"),
    *("East Asia", "Japan West", "Korea Central", "Korea South", "Central India", "South India", "West India"),
    *("Australia East", "Australia Southeast", "Australia Central", "New Zealand North"),
    *("UAE North", "Qatar Central", "Israel Central", "South Africa North", "Mexico Central"),
)  # fmt: skip
# The regions of each type that not all of them have.
_OF_TYPE = {
    "microsoft.machinelearning/workspaces": STUDIO,
    "microsoft.machinelearning/webservices": STUDIO,
    "microsoft.machinelearning/commitmentplans": STUDIO,
}


def normal(location: str) -> str:
    """A location as Resource Manager compares it: `West Europe` is `westeurope`."""
    return location.replace(" ", "").lower()


_SHOWN = {normal(name): name for name in EVERYWHERE}


def regions_of(kind: str) -> tuple[str, ...]:
    """The regions that have a type of resources, as people read them."""
    return _OF_TYPE.get(kind.lower(), EVERYWHERE)


def region_name(location: str) -> str:
    """A location as it is shown: `southcentralus` is `South Central US`."""
    return _SHOWN.get(normal(location), location)
