"""The definition of a New web service, as data: what is read from it, and what is changed in it.

A definition has two spellings: Resource Manager's own (``properties``, ``assets``), and the one that Studio exports
(``Properties``, ``Assets``). Names of the schema are looked up whatever their case; everything else, known or not, is
kept as it is. Source: Microsoft.MachineLearning/webServices 2017-01-01.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from clients.errors import BindingFailed

Json = dict[str, Any]

# What the service says of itself; it takes none of it.
_READ_ONLY = ("id", "type", "etag", "systemData")
_READ_ONLY_PROPERTIES = (
    "createdOn",
    "modifiedOn",
    "provisioningState",
    "swaggerLocation",
    "payloadsInBlobStorage",
    "payloadsLocation",
)
# What is in a blob, and not in the answer, where a definition is larger than 3 MB.
_LARGE = ("input", "output", "assets", "parameters", "package", "exampleRequest")
_SECRETS = ("keys",)
_RESOURCE = "resource"


def member(holder: Any, name: str, default: Any = None) -> Any:
    """The member of a definition's object called *name*, whatever its case; *default* too where it is no object."""
    key = _key(holder, name) if isinstance(holder, Mapping) else None
    return default if key is None else holder[key]


def _key(holder: Mapping[str, Any], name: str) -> str | None:
    if name in holder:
        return name
    return next((key for key in holder if key.lower() == name.lower()), None)


def put_member(holder: Json, name: str, value: Any) -> None:
    """Set a member, in the spelling that the definition has."""
    pascal = any(key[:1].isupper() for key in holder)
    holder[_key(holder, name) or (name[0].upper() + name[1:] if pascal else name)] = value


def without(holder: Mapping[str, Any], *names: str) -> Json:
    """An object without some members."""
    dropped = {name.lower() for name in names}
    return {key: value for key, value in holder.items() if key.lower() not in dropped}


def properties(definition: Mapping[str, Any]) -> Json:
    """What the service is made of."""
    return dict(_object(member(definition, "properties")))


def models(definition: Mapping[str, Any]) -> dict[str, str]:
    """The address of each trained model (without a SAS), by its asset's name; in the definition's order."""
    return {
        str(member(asset, "name")): str(
            member(_object(member(asset, "locationInfo")), "uri") or ""
        ).partition("?")[0]
        for asset in _assets(definition).values()
        if is_resource(asset)
    }


def is_resource(asset: Mapping[str, Any]) -> bool:
    """Whether an asset is a trained model, and not a module."""
    return str(member(asset, "type")).lower() == _RESOURCE


def account_name(definition: Mapping[str, Any]) -> str:
    """The storage account that the service reads its blobs with; empty where the definition has none yet."""
    return str(member(_object(member(properties(definition), "storageAccount")), "name") or "")


def payload_location(definition: Mapping[str, Any]) -> tuple[str, str] | None:
    """Where the large part of a definition is, if it is not in the answer: its address, and what opens it."""
    own = properties(definition)
    place = _object(member(own, "payloadsLocation"))
    uri = member(place, "uri")
    if not member(own, "payloadsInBlobStorage") or not uri:
        return None
    return str(uri), str(member(place, "credentials") or "")


def inlined(definition: Mapping[str, Any], payload: Mapping[str, Any]) -> Json:
    """The complete definition, with the large part that was in a blob."""
    own = properties(definition)
    for name in _LARGE:
        if (value := member(payload, name)) is not None:
            put_member(own, name, value)
    whole = dict(definition)
    put_member(whole, "properties", own)
    return whole


def _assets(definition: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    assets = _object(member(properties(definition), "assets"))
    return {key: asset for key, asset in assets.items() if isinstance(asset, Mapping)}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def with_model(definition: Mapping[str, Any], resource: str, uri: str) -> Json:
    """The same definition with the trained model *resource* at *uri*: one ``locationInfo.uri`` differs, nothing else.

    Names of trained models are compared whatever their case, as the service does. Raises BindingFailed where there
    is no such model, or more than one.
    """
    changed = copy.deepcopy(dict(definition))
    assets = _object(member(_object(member(changed, "properties")), "assets"))
    found = [
        asset
        for asset in assets.values()
        if isinstance(asset, dict)
        and is_resource(asset)
        and str(member(asset, "name")).casefold() == resource.casefold()
    ]
    if len(found) != 1:
        names = ", ".join(models(definition)) or "none"
        raise BindingFailed(
            f"the web service has {len(found)} trained models called {resource!r}; it has: {names}",
            "declare the trained model by the name of its asset in the definition",
        )
    place = member(found[0], "locationInfo")
    if not isinstance(place, dict):
        raise BindingFailed(
            f"the trained model {resource!r} has no locationInfo in the definition",
            "export the definition, give the asset a locationInfo, and import it",
        )
    put_member(place, "uri", uri)
    return changed


def patch_of(definition: Mapping[str, Any]) -> Json:
    """The smallest body of a PATCH that carries the definition's models: all its assets.

    All of them, because it is not known whether the service merged the map or replaced it.
    """
    own = properties(definition)
    return {
        "properties": {
            "packageType": member(own, "packageType") or "Graph",
            "assets": member(own, "assets") or {},
        }
    }


def exported(definition: Mapping[str, Any]) -> Json:
    """The definition as a file: without secrets, and without what the service says of itself."""
    clean = without(definition, *_READ_ONLY)
    own = without(properties(definition), *_READ_ONLY_PROPERTIES, *_SECRETS)
    account = member(own, "storageAccount")
    if isinstance(account, Mapping):
        put_member(own, "storageAccount", without(account, "key"))
    assets = {
        name: _without_credentials(asset) if isinstance(asset, Mapping) else asset
        for name, asset in _object(member(own, "assets")).items()
    }
    if assets:
        put_member(own, "assets", assets)
    put_member(clean, "properties", own)
    return clean


def _without_credentials(asset: Mapping[str, Any]) -> Json:
    """An asset without what opens its blob: ``credentials``, and a SAS in its address."""
    clean = dict(asset)
    place = member(asset, "locationInfo")
    if isinstance(place, Mapping):
        open_place = {key: None if key.lower() == "credentials" else value for key, value in place.items()}
        if isinstance(uri := member(open_place, "uri"), str):
            put_member(open_place, "uri", uri.partition("?")[0])
        put_member(clean, "locationInfo", open_place)
    return clean


def complete(definition: Mapping[str, Any], account: Mapping[str, str], plan: str | None) -> Json:
    """A definition ready to be PUT: what the service hides is given again, the storage account's key and the plan."""
    body = without(definition, *_READ_ONLY, "name")
    own = without(properties(definition), *_READ_ONLY_PROPERTIES)
    put_member(own, "storageAccount", dict(account))
    if plan:
        put_member(own, "commitmentPlan", {"id": plan})
    put_member(body, "properties", own)
    return body
