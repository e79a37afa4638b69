"""What clients send: PUT and PATCH checked and put together with what is there.

The result is a service's complete `properties` in camelCase, secrets included. Everything that is not checked here is
kept as it was sent, known or not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localcloud.facilities.errors import BadArgument
from localcloud.studio.web_services.errors import account_changed, missing, plan_changed, read_only, wrong
from localcloud.studio.web_services.shown import LARGE, shown_asset
from localcloud.works.services import new_key

Properties = dict[str, Any]

# What the service says and clients cannot: dropped where they send it back.
READ_ONLY = (
    "createdOn",
    "modifiedOn",
    "provisioningState",
    "swaggerLocation",
    "payloadsInBlobStorage",
    "payloadsLocation",
)
# The members of these are merged one by one by a PATCH; what else a PATCH names is replaced.
_MERGED = (
    "keys",
    "realtimeConfiguration",
    "diagnostics",
    "storageAccount",
    "commitmentPlan",
    "parameters",
    "assets",
)
_FEWEST_CALLS, _MOST_CALLS = 4, 200
_INLINE = 3 * 1024 * 1024
_LEVELS = ("none", "error", "all")


def put(sent: Mapping[str, Any], old: Mapping[str, Any] | None) -> Properties:
    """The properties after a PUT: what was sent, with the keys there were where it names none.

    Raises BadRequest for what is missing or wrong, InvalidOperation for a read-only service.
    """
    if old is not None:
        refuse_read_only(old)
    properties = _without_read_only(sent)
    _check(properties)
    account, plan = properties.get("storageAccount"), properties.get("commitmentPlan")
    if not _text(account, "name") or not _text(account, "key"):
        what = "key" if _text(account, "name") else "name"
        raise missing(f"properties.storageAccount.{what}")
    if not _text(plan, "id"):
        raise missing("properties.commitmentPlan.id")
    _check_same(properties, old)
    properties["keys"] = _keys(properties.get("keys"), old)
    return _with_hidden(properties, old)


def patch(sent: Mapping[str, Any], old: Mapping[str, Any]) -> Properties:
    """The properties after a PATCH: members that it names are merged in, others stay.

    What the service did with `assets` is unknown, since the documented way always sent the whole definition: here
    each asset that is named replaces the one of its id, and the others stay. Null means not named.

    Raises BadRequest for what is wrong.
    """
    named = {name: value for name, value in _without_read_only(sent).items() if value is not None}
    if "packageType" not in named:
        raise missing("properties.packageType")
    properties = dict(old)
    for name, value in named.items():
        before = properties.get(name)
        if name in _MERGED and isinstance(value, Mapping) and isinstance(before, Mapping):
            properties[name] = {**before, **{key: one for key, one in value.items() if one is not None}}
        else:
            properties[name] = value
    _check(properties)
    _check_same(properties, old)
    properties["keys"] = _keys(properties["keys"], old)
    return _with_hidden(properties, old)


def is_large(properties: Mapping[str, Any]) -> bool:
    """Whether the large part of a definition is more than is answered inline (3 MB)."""
    large = {name: properties[name] for name in LARGE if name in properties}
    return len(json.dumps(large, ensure_ascii=False).encode(errors="replace")) > _INLINE


def changes_model(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether an update gives a resource another place."""
    before, after = _places(old), _places(new)
    return any(place != before.get(asset) for asset, place in after.items())


def _places(properties: Mapping[str, Any]) -> dict[str, Any]:
    assets = properties.get("assets") or {}
    return {
        key: asset["locationInfo"] for key, asset in assets.items() if asset["type"].casefold() == "resource"
    }


def _with_hidden(properties: Properties, old: Mapping[str, Any] | None) -> Properties:
    """Assets that stay where they are keep what opens them, which GET does not show."""
    before = (old or {}).get("assets") or {}
    kept = {
        key: {**asset, "locationInfo": before[key]["locationInfo"]}
        for key, asset in (properties.get("assets") or {}).items()
        if key in before and asset["locationInfo"] == shown_asset(before[key])["locationInfo"]
    }
    if kept:
        properties["assets"] = {**properties["assets"], **kept}
    return properties


def refuse_read_only(old: Mapping[str, Any]) -> None:
    """Raise InvalidOperation for a service that can only be removed."""
    if old.get("readOnly") is True:
        raise read_only()


def _without_read_only(sent: Mapping[str, Any]) -> Properties:
    return {name: value for name, value in sent.items() if name not in READ_ONLY}


def _check(properties: Mapping[str, Any]) -> None:
    package_type = properties.get("packageType")
    if package_type is None:
        raise missing("properties.packageType")
    if not isinstance(package_type, str) or package_type.casefold() != "graph":
        raise wrong("properties.packageType", "must be Graph; Code is not supported", "WebServiceTypeInvalid")
    for name in ("input", "output", "package", "exampleRequest", "parameters", "machineLearningWorkspace"):
        _object(properties, name)
    for name in ("readOnly", "exposeSampleData"):
        if not isinstance(properties.get(name), bool | None):
            raise wrong(f"properties.{name}", "must be true or false")
    _check_calls(_object(properties, "realtimeConfiguration").get("maxConcurrentCalls"))
    level = _object(properties, "diagnostics").get("level")
    if level is not None and (not isinstance(level, str) or level.casefold() not in _LEVELS):
        raise wrong("properties.diagnostics.level", "must be None, Error or All")
    for key, asset in _object(properties, "assets").items():
        _check_asset(f"properties.assets.{key}", asset)


def _check_calls(calls: Any) -> None:
    what = "properties.realtimeConfiguration.maxConcurrentCalls"
    if calls is None:
        return
    if not isinstance(calls, int) or isinstance(calls, bool) or calls < _FEWEST_CALLS:
        must = f"must be a number from {_FEWEST_CALLS} to {_MOST_CALLS}"
        raise wrong(what, must, "WebServiceConcurrentRequestRequirementInvalid")
    if calls > _MOST_CALLS:
        raise wrong(what, f"must be at most {_MOST_CALLS}", "WebServiceTooManyConcurrentRequestRequirement")


def _check_asset(what: str, asset: Any) -> None:
    if not isinstance(asset, Mapping):
        raise wrong(what, "must be an object")
    if not isinstance(asset.get("name"), str):
        raise missing(f"{what}.name")
    if str(asset.get("type")).casefold() not in ("module", "resource"):
        raise wrong(f"{what}.type", "must be Module or Resource")
    location = asset.get("locationInfo")
    if not isinstance(location, Mapping) or not isinstance(location.get("uri"), str):
        raise missing(f"{what}.locationInfo.uri")


def _check_same(properties: Properties, old: Mapping[str, Any] | None) -> None:
    """Account and plan are those of the creation; either may be left out or sent again."""
    if old is None:
        return
    account = properties["storageAccount"]
    before = old["storageAccount"]
    if not isinstance(account, Mapping) or account.get("name") != before["name"]:
        raise account_changed(before["name"])
    plan = _text(properties.get("commitmentPlan"), "id") or ""
    if plan.rstrip("/").casefold() != old["commitmentPlan"]["id"].rstrip("/").casefold():
        raise plan_changed()


def _keys(keys: Any, old: Mapping[str, Any] | None) -> dict[str, str]:
    if keys is None:
        return dict(old["keys"]) if old else {"primary": new_key(), "secondary": new_key()}
    for name in ("primary", "secondary"):
        if not _text(keys, name):
            raise missing(f"properties.keys.{name}", "MissingKeys")
    return dict(keys)


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadArgument("RequestBodyInvalid", f"properties.{name} is not an object", f"properties.{name}")
    return value


def _text(holder: Any, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) and value else None
