"""Checks of a subscription, none of which changes anything: who is signed in, roles, providers, region, quotas."""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.services.azure.needs import NEEDS, Need, Needs
from clients.arm.resource_manager import ResourceManager
from clients.clock import SystemClock
from clients.credentials import Target
from clients.errors import ConfigurationError, RetrainError
from clients.names import nearest

_SUBSCRIPTIONS, _PROVIDERS, _PERMISSIONS, _USAGES = "2022-12-01", "2021-04-01", "2022-04-01", "2024-10-01"
# While a deployment is updated, this much more than its own cores is used; one more node trains.
_SPARE = 1.2
_SIZE = re.compile(r"standard_([a-z]+)(\d+)([a-z]*)(?:_(v\d+))?", re.IGNORECASE)
_OF_OLD = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}


@dataclass(frozen=True)
class Finding:
    """What one check found; *remedy* is what to do where it is not *ok*."""

    what: str
    ok: bool
    says: str
    remedy: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is asked about: the stack's *kind* and *location*, a *group* that is there, the *size* of machines."""

    kind: str
    location: str
    subscription: str = ""
    group: str = ""
    size: str = "Standard_DS3_v2"


@dataclass(frozen=True)
class Caller:
    """Who is signed in, as the access token says; *id* is the object id, empty where the token says nothing."""

    name: str
    id: str = ""
    type: str = ""

    @classmethod
    def of(cls, target: Target) -> Caller:
        """Whose token it is. Raises CredentialError where nobody is signed in."""
        claims = _claims(target.arm.authorize().get("Authorization", ""))
        if not claims:
            return cls(f"the owner of the target {target.name}")
        app = claims.get("idtyp") == "app"
        name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or claims.get("oid")
        where = f" of the directory {claims['tid']}" if claims.get("tid") else ""
        return cls(f"{name}{where}", str(claims.get("oid") or ""), "ServicePrincipal" if app else "User")


class Checks:
    """Checks of what *wanted* needs at *target*."""

    def __init__(self, target: Target, wanted: Wanted) -> None:
        self._target = target
        self._wanted = wanted
        self._needs: Needs = NEEDS[wanted.kind]

    def all(self) -> Iterator[Finding]:
        """Each finding as it is made. Without a sign-in or a subscription nothing else is looked at."""
        try:
            caller = Caller.of(self._target)
            yield Finding("signed in", True, f"as {caller.name}")
            subscription, name = self._subscription()
            yield Finding("subscription", True, f"{name} ({subscription})")
        except RetrainError as error:
            yield Finding("signed in", False, error.cause, error.remedy)
            return
        for what, checks in (
            ("permissions", self._permissions(subscription, caller)),
            ("providers", self._providers(subscription)),
            ("quotas", self._quotas(subscription)),
        ):
            try:
                yield from checks
            except RetrainError as error:
                yield Finding(what, False, error.cause, error.remedy)

    def _arm(self, version: str) -> ResourceManager:
        return ResourceManager(self._target.arm, version, SystemClock())

    def _subscription(self) -> tuple[str, str]:
        """Id and name: the one that is named, or the only one. Raises ConfigurationError."""
        found = {
            str(one["subscriptionId"]): str(one.get("displayName") or "")
            for one in self._arm(_SUBSCRIPTIONS).list("/subscriptions")
        }
        named = self._wanted.subscription or os.environ.get("ARM_SUBSCRIPTION_ID", "")
        if named in found:
            return named, found[named]
        if not named and len(found) == 1:
            return next(iter(found.items()))
        listed = ", ".join(f"{name} ({id_})" for id_, name in found.items()) or "none"
        raise ConfigurationError(
            f"which subscription is meant is not known; those that can be seen are: {listed}",
            "set ARM_SUBSCRIPTION_ID to the id of one that the sign-in may use",
        )

    def _permissions(self, subscription: str, caller: Caller) -> Iterator[Finding]:
        scopes = [f"/subscriptions/{subscription}"]
        if self._wanted.group:
            scopes.append(f"{scopes[0]}/resourceGroups/{self._wanted.group}")
        arm = self._arm(_PERMISSIONS)
        given = [
            one
            for scope in scopes
            for one in arm.list(f"{scope}/providers/Microsoft.Authorization/permissions")
        ]
        for need in self._needs.roles:
            lacking = [action for action in need.actions if not may(given, action)]
            if not lacking:
                yield Finding("role", True, f"may {need.purpose}")
                continue
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            yield Finding(
                "role",
                False,
                f"may not {need.purpose}: {lacking[0]}{more} is not granted",
                _assignment(need, caller, scopes[-1]),
            )

    def _providers(self, subscription: str) -> Iterator[Finding]:
        arm = self._arm(_PROVIDERS)
        for namespace in self._needs.providers:
            found = arm.get(f"/subscriptions/{subscription}/providers/{namespace}")
            state = str(found.get("registrationState"))
            registered = state == "Registered"
            remedy = "" if registered else f"az provider register --namespace {namespace} --wait"
            yield Finding("provider", registered, f"{namespace}: {state}", remedy)
            if namespace == self._needs.home:
                yield self._region(found)

    def _region(self, provider: Mapping[str, Any]) -> Finding:
        types = {str(one.get("resourceType")).lower(): one for one in provider.get("resourceTypes") or ()}
        offered = (types.get(self._needs.workspaces.lower()) or {}).get("locations") or ()
        places = sorted(_place(one) for one in offered)
        location = _place(self._wanted.location)
        if location in places:
            return Finding("region", True, f"{location} has {self._needs.home}/{self._needs.workspaces}")
        return Finding(
            "region",
            False,
            f"{location} has no {self._needs.home}/{self._needs.workspaces}",
            f"./dev config set location REGION; {nearest(location, places)}",
        )

    def _quotas(self, subscription: str) -> Iterator[Finding]:
        if self._wanted.kind != "azureml":
            return
        place = f"/subscriptions/{subscription}/providers/{self._needs.home}/locations"
        usages = self._arm(_USAGES).list(f"{place}/{_place(self._wanted.location)}/usages")
        family, cores = family_and_cores(self._wanted.size)
        needed = math.ceil(cores * _SPARE) + cores
        for usage in usages:
            name = str((usage.get("name") or {}).get("localizedValue"))
            words = name.lower().split()
            if f"{family} family " in f"{' '.join(words[1:])} " or "total" in words[:1]:
                free = int(usage.get("limit") or 0) - int(usage.get("currentValue") or 0)
                says = f"{name}: {free} of {usage.get('limit')} free, {needed} needed"
                asks = f"ask for more of {name} in {self._wanted.location}: https://aka.ms/azureml-quota"
                yield Finding("quota", free >= needed, says, "" if free >= needed else asks)


def may(granted: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether permissions as Resource Manager lists them allow an action."""
    return any(
        _matches(one.get("actions"), action) and not _matches(one.get("notActions"), action)
        for one in granted
    )


def family_and_cores(size: str) -> tuple[str, int]:
    """`dsv2` and 4 of `Standard_DS3_v2`, as quotas call them; a size that is none has no family."""
    found = _SIZE.fullmatch(size)
    if found is None:
        return size.lower(), 1
    letters, number, more, version = (part.lower() for part in found.groups(""))
    old = letters in ("d", "ds") and not more and version in ("", "v2")
    count = _OF_OLD.get(int(number), int(number)) if old else int(number)
    return f"{letters}{more}{version}", count


def _matches(patterns: Any, action: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, str(pattern).split("*"))), action, re.IGNORECASE)
        for pattern in patterns or ()
    )


def _assignment(need: Need, caller: Caller, scope: str) -> str:
    who = f"--assignee-object-id {caller.id} --assignee-principal-type {caller.type}"
    if not caller.id:
        who = "--assignee WHO"
    return f'az role assignment create {who} --role "{need.role}" --scope {scope}'


def _place(location: object) -> str:
    return str(location).replace(" ", "").lower()


def _claims(header: str) -> Mapping[str, Any]:
    """What an access token says of itself; nothing where it says nothing. The service alone judges it."""
    parts = header.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
