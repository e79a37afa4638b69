"""A resource's state, and the checkpoint format that Pulumi's file backend keeps (versions 3 and 4).

Source: `sdk/go/common/apitype/core.go` (ResourceV3, DeploymentV3) and `pkg/resource/stack/deployment.go`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from time import time_ns
from typing import Any

from backend import values
from backend.errors import StateError
from backend.passphrase import Crypter
from backend.urns import split_reference
from backend.values import UNKNOWN, Props, Reference, Secret

VERSION = "3.260.0"  # the CLI whose format this is; the manifest's magic is the hash of it


@dataclass(eq=False, kw_only=True)
class State:
    """One resource as the checkpoint keeps it, in its order; compared by identity, since a URN may occur twice."""

    urn: str
    custom: bool
    delete: bool = False
    id: str = ""
    type: str
    inputs: Props = field(default_factory=dict)
    outputs: Props = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    retain_on_delete: bool = False
    created: str = ""
    modified: str = ""
    source_position: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    refresh_before_update: bool = False
    resource_hooks: dict[str, list[str]] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """What another engine wrote and this one keeps untouched (stack traces, import ids …)."""

    def copy(self) -> State:
        """A copy with its own property maps."""
        return replace(self, inputs=dict(self.inputs), outputs=dict(self.outputs))

    def needs(self) -> set[str]:
        """The URNs of its provider and of what the program says it depends on; not of its parent."""
        urns = set(self.dependencies)
        for of_property in self.property_dependencies.values():
            urns.update(of_property)
        if self.provider:
            urns.add(split_reference(self.provider)[0])
        return urns

    def depends_on(self) -> set[str]:
        """All URNs this resource rests on: parent, provider, dependencies."""
        return self.needs() | {self.parent} if self.parent else self.needs()


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(map(str.capitalize, rest))


_KEYS = {each.name: _camel_case(each.name) for each in fields(State) if each.name != "extra"}


def now() -> str:
    """The time in UTC with nanoseconds, as Pulumi writes it."""
    nanoseconds = time_ns()
    whole = datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=UTC)
    fraction = f"{nanoseconds % 1_000_000_000:09d}".rstrip("0")
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + "Z"


def dump_state(state: State, crypter: Crypter | None) -> dict[str, Any]:
    """The resource as JSON data; secrets are encrypted (those from the same salt keep their text)."""
    out: dict[str, Any] = {}
    for name, key in _KEYS.items():
        value = getattr(state, name)
        if name in ("inputs", "outputs"):
            value = {k: dump_value(value[k], crypter) for k in sorted(value)}
        if value or name == "custom":
            out[key] = value
    return {**out, **state.extra}


def load_state(data: Mapping[str, Any], crypter: Crypter | None) -> State:
    """The resource of JSON data; secrets are decrypted when first looked at."""
    rest = dict(data)
    known = {name: rest.pop(key) for name, key in _KEYS.items() if key in data}
    for name in ("inputs", "outputs"):
        known[name] = {k: load_value(v, crypter) for k, v in known.get(name, {}).items()}
    return State(**known, extra=rest)


def dump_value(value: Any, crypter: Crypter | None) -> Any:
    """One property as JSON data.

    Raises:
        StateError: a secret has to be written and there is nothing to encrypt it with.
    """
    if isinstance(value, values.Unknown):
        return values.UNKNOWN_WIRE
    if isinstance(value, Secret):
        if crypter is None:
            raise StateError(
                "a secret can't be written without an encryption salt", "set PULUMI_CONFIG_PASSPHRASE"
            )
        cipher = value.cipher
        if cipher is None:
            cipher = crypter.encrypt(compact(dump_value(values.reveal(value.value), None)))
            value.cipher = cipher
        return {values.SIGNATURE: values.SECRET_SIG, "ciphertext": cipher}
    if isinstance(value, Reference):
        return value.signed()
    if isinstance(value, dict):
        return {k: dump_value(value[k], crypter) for k in sorted(value)}
    if isinstance(value, list):
        return [dump_value(v, crypter) for v in value]
    return values.json_number(value)


def load_value(data: Any, crypter: Crypter | None) -> Any:
    """One property of JSON data."""
    if isinstance(data, str):
        return UNKNOWN if data == values.UNKNOWN_WIRE else data
    if isinstance(data, list):
        return [load_value(v, crypter) for v in data]
    if isinstance(data, float):
        return values.tidy_number(data)
    if not isinstance(data, dict):
        return data
    signature = data.get(values.SIGNATURE)
    if signature is None:
        return {k: load_value(v, crypter) for k, v in data.items()}
    if signature == values.SECRET_SIG:
        if "plaintext" in data:
            return Secret(load_value(json.loads(data["plaintext"]), crypter))
        cipher = data["ciphertext"]

        def decrypt() -> Any:
            if crypter is None:
                raise StateError(
                    "the state holds a secret and names no salt", "restore the state from its .bak"
                )
            return load_value(json.loads(crypter.decrypt(cipher)), crypter)

        return Secret(cipher=cipher, reveal=decrypt)
    if signature == values.RESOURCE_SIG:
        return Reference(data["urn"], data.get("id"), data.get("packageVersion", ""))
    if signature == values.FLOAT_SIG:
        return values.float_from_bits(data["value"])
    raise StateError(
        "the state holds an asset, an archive or a value of an unrecognized kind",
        "run it with the Pulumi CLI: --engine pulumi",
    )


def compact(data: Any) -> str:
    """JSON without spaces, as Pulumi writes it."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


@dataclass
class Snapshot:
    """All resources of a stack, in dependency order, with what was under way when a run was killed; `sealed` where it has
    encrypted secrets.
    """

    resources: list[State] = field(default_factory=list)
    pending: list[tuple[str, State]] = field(default_factory=list)
    salt: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    sealed: bool = False

    def live(self) -> dict[str, State]:
        """By URN, without those that only wait to be deleted."""
        return {s.urn: s for s in self.resources if not s.delete}


def features_of(resources: Iterable[State]) -> list[str]:
    """What a reader of the state must know of; a state without is of version 3, any other of version 4."""
    found = set()
    for state in resources:
        if state.resource_hooks:
            found.add("hooks")
        if state.refresh_before_update:
            found.add("refreshBeforeUpdate")
    return sorted(found)


def dump_checkpoint(
    stack: str,
    resources: Iterable[str],
    pending: Iterable[str],
    salt: str,
    metadata: Any,
    features: list[str],
) -> str:
    """The checkpoint's text from resources that are JSON already (each is dumped once, when it changes)."""
    manifest = {"time": now(), "magic": hashlib.sha256(VERSION.encode()).hexdigest(), "version": VERSION}
    parts = [f'"manifest":{compact(manifest)}']
    if salt:
        parts.append(
            f'"secrets_providers":{compact({"type": "passphrase", "state": {"salt": salt}})}',
        )
    if text := ",".join(resources):
        parts.append(f'"resources":[{text}]')
    if text := ",".join(pending):
        parts.append(f'"pending_operations":[{text}]')
    parts.append(f'"metadata":{compact(metadata)}')
    head = f'"version":4,"features":{compact(features)}' if features else '"version":3'
    return f'{{{head},"checkpoint":{{"stack":{compact(stack)},"latest":{{{",".join(parts)}}}}}}}'


def load_checkpoint(text: str, crypter_for: Any) -> Snapshot:
    """The snapshot of a checkpoint's text; `crypter_for(salt)` gives the crypter of its secrets.

    Raises:
        StateError: not a checkpoint, of a version or with features that this engine doesn't know.
    """
    try:
        data = json.loads(text)
        version, features = data.get("version"), data.get("features", [])
        latest = data["checkpoint"].get("latest") or {}
    except (ValueError, KeyError, AttributeError) as error:
        raise StateError(
            "the stack's state isn't a checkpoint", "restore it from its .bak beside it"
        ) from error
    if version not in (3, 4) or set(features) - {"refreshBeforeUpdate", "hooks"}:
        raise StateError(
            f"the stack's state has version {version} with features {features}",
            "run it with the Pulumi CLI: --engine pulumi",
        )
    providers = latest.get("secrets_providers") or {}
    if providers and providers.get("type") != "passphrase":
        raise StateError(
            f"the stack's secrets are kept by {providers.get('type')!r}, and the embedded engine opens only those of a passphrase",
            "run it with the Pulumi CLI: --engine pulumi",
        )
    salt = (providers.get("state") or {}).get("salt", "")
    crypter = crypter_for(salt) if salt else None
    return Snapshot(
        [load_state(r, crypter) for r in latest.get("resources") or []],
        [(p["type"], load_state(p["resource"], crypter)) for p in latest.get("pending_operations") or []],
        salt,
        latest.get("metadata") or {},
        values.SECRET_SIG in text,
    )
