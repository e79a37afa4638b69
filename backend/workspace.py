"""A project and one of its stacks: Pulumi.yaml, Pulumi.<stack>.yaml, configuration, secrets, state.

Texts of configuration errors are the CLI's (`pkg/workspace/config.go`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.checkpoint import Snapshot, load_checkpoint
from backend.errors import ProjectError
from backend.files import Backend, write_atomically
from backend.passphrase import Crypter, find_passphrase
from backend.values import Secret, contains, reveal
from backend.yaml_files import read

REFUSED = ("pulumi:autonaming", "pulumi:disable-default-providers")


@dataclass(frozen=True)
class ConfigValue:
    """One configuration value: text (JSON for structured ones), whether secret, and its encrypted form."""

    text: str
    secret: bool = False
    stored: Any = None


@dataclass
class Workspace:
    """A stack that can be previewed and updated; `open` reads it."""

    root: Path
    project: str
    stack: str
    main: Path
    backend: Backend
    schema: Mapping[str, Any]
    stack_file: Path
    stack_data: dict[str, Any]
    overrides: Mapping[str, str]
    passphrase: str | None = None
    _crypters: dict[str, Crypter] = field(default_factory=dict)

    @classmethod
    def open(
        cls, root: Path, stack: str, *, config: Mapping[str, str] | None = None, passphrase: str | None = None
    ) -> Workspace:
        """The stack of the project in `root`; `config` holds for this run only and changes no file.

        Raises:
            ProjectError: no or a wrong Pulumi.yaml, another language, another backend; a wrong name of a stack.
        """
        root = root.resolve()
        data = read(root / "Pulumi.yaml")
        name = data.get("name")
        if not isinstance(name, str) or not name:
            raise ProjectError("Pulumi.yaml has no name", "add `name: <project>`")
        runtime = data.get("runtime")
        language = runtime.get("name") if isinstance(runtime, dict) else runtime
        if language != "python":
            raise ProjectError(
                f"the project's runtime is {language!r}, and the embedded engine runs Python programs only",
                "run it with the Pulumi CLI: --engine pulumi",
            )
        if (data.get("options") or {}).get("refresh"):
            raise ProjectError(
                "Pulumi.yaml has options.refresh: not implemented by the embedded engine",
                "give --refresh instead",
            )
        stack = stack_name(stack, name)
        folder = backend_folder(root, data)
        if folder is None:
            raise ProjectError(
                f"the backend is {_backend_url(data).partition('://')[0]}://, and the embedded engine keeps state in files only",
                "run it with the Pulumi CLI: --engine pulumi",
            )
        stack_file = root / (data.get("stackConfigDir") or ".") / f"Pulumi.{stack}.yaml"
        return cls(
            root=root,
            project=name,
            stack=stack,
            main=(root / data["main"]).resolve() if data.get("main") else root,
            backend=Backend(folder, name, stack),
            schema=data.get("config") or {},
            stack_file=stack_file,
            stack_data=read(stack_file) if stack_file.exists() else {},
            overrides=config or {},
            passphrase=passphrase,
        )

    def crypter_for(self, salt: str) -> Crypter:
        """The crypter of a salt; its key is derived when first needed."""
        if salt not in self._crypters:
            self._crypters[salt] = Crypter(lambda: find_passphrase(self.passphrase), salt)
        return self._crypters[salt]

    def crypter(self) -> Crypter | None:
        """The crypter of the stack file's salt, if it has one."""
        salt = self.stack_data.get("encryptionsalt")
        return self.crypter_for(salt) if salt else None

    def new_crypter(self) -> Crypter:
        """A crypter with a new salt, which is written to the stack file as the CLI does."""
        crypter = Crypter.new(lambda: find_passphrase(self.passphrase))
        self._crypters[crypter.salt] = crypter
        self.stack_data["encryptionsalt"] = crypter.salt
        text = self.stack_file.read_text(encoding="utf-8") if self.stack_file.exists() else ""
        write_atomically(self.stack_file, f"encryptionsalt: {crypter.salt}\n{text}")
        return crypter

    def snapshot(self) -> Snapshot:
        """The stack's state; empty when the stack is new."""
        text = self.backend.read()
        return load_checkpoint(text, self.crypter_for) if text is not None else Snapshot()

    def config(self, *, check: bool = True) -> dict[str, ConfigValue]:
        """All values by qualified key (`project:key`), defaults of the schema included; `check` as for an update.

        Raises:
            ProjectError: a value is missing, has the wrong type, or is a secret that isn't encrypted.
        """
        if self.stack_data.get("environment"):
            raise ProjectError(
                f"{self.stack_file.name} uses environments, which the embedded engine has not",
                "run it with the Pulumi CLI: --engine pulumi",
            )
        if (provider := self.stack_data.get("secretsprovider")) not in (None, "", "passphrase"):
            raise ProjectError(
                f"secrets are kept by {provider!r}, and the embedded engine opens only those of a passphrase",
                "run it with the Pulumi CLI: --engine pulumi",
            )
        values = {self._qualify(k): self._value(v) for k, v in (self.stack_data.get("config") or {}).items()}
        for key, text in self.overrides.items():
            values[self._qualify(key)] = ConfigValue(text)
        for key in values.keys() & set(REFUSED):
            raise ProjectError(
                f"{key}: not implemented by the embedded engine",
                "run it with the Pulumi CLI (--engine pulumi), or leave it out",
            )
        missing = []
        for key in sorted(self.schema):
            spec, qualified = self.schema[key], self._qualify(key)
            if not isinstance(spec, dict):
                spec = {"default": spec}
            if qualified not in values:
                fallback = spec.get("value", spec.get("default"))
                if fallback is None:
                    if qualified.startswith(f"{self.project}:"):
                        missing.append(qualified)
                    continue
                values[qualified] = self._value(fallback)
        if not check:
            return values
        if missing:
            quoted = [f"'{m}'" for m in missing]
            listed = f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else quoted[0]
            plural = "s" if len(missing) > 1 else ""
            raise ProjectError(
                f"Stack '{self.stack}' is missing configuration value{plural} {listed}",
                f"set it in {self.stack_file.name} or with -c {missing[0].partition(':')[2]}=<value>",
            )
        self._check_types(values)
        return values

    def _check_types(self, values: Mapping[str, ConfigValue]) -> None:
        for key, spec in sorted(self.schema.items()):
            if not isinstance(spec, dict) or not spec.get("type"):
                continue
            value = values.get(self._qualify(key))
            if value is None:
                continue
            if spec.get("secret") and not value.secret:
                raise ProjectError(
                    f"Stack '{self.stack}' with configuration key '{key}' must be encrypted as it's secret",
                    f"set it with: ./dev config set --secret {key}",
                )
            if not fits(value, spec):
                raise ProjectError(
                    f"Stack '{self.stack}' with configuration key '{key}' must be of type '{type_name(spec)}'",
                    f"correct -c {key}=…"
                    if key in self.overrides
                    else f"correct it in {self.stack_file.name}",
                )

    def _qualify(self, key: str) -> str:
        return key.replace(":config:", ":") if ":" in key else f"{self.project}:{key}"

    def _value(self, raw: Any) -> ConfigValue:
        opened = self._open(raw)
        return ConfigValue(_text(reveal(opened)), contains(opened, Secret), stored=raw)

    def _open(self, raw: Any) -> Any:
        """The value, in which what is encrypted is a `Secret`."""
        if isinstance(raw, dict):
            if set(raw) == {"secure"} and isinstance(raw["secure"], str):
                return Secret(self._decrypt(raw["secure"]))
            return {k: self._open(v) for k, v in raw.items()}
        return [self._open(v) for v in raw] if isinstance(raw, list) else raw

    def _decrypt(self, cipher: str) -> str:
        crypter = self.crypter()
        if crypter is None:
            raise ProjectError(
                f"{self.stack_file.name} has secrets and no encryptionsalt", "restore its encryptionsalt"
            )
        return crypter.decrypt(cipher)


def stack_name(given: str, project: str) -> str:
    """A stack's name as the CLI's file backend reads it: `dev`, `organization/dev` or `organization/<project>/dev`.

    Raises:
        ProjectError: it isn't one.
    """
    *before, name = given.split("/")
    if before not in ([], ["organization"], ["organization", project]):
        raise ProjectError(
            f"the stack name {given!r} has a slash",
            f"name the stack without one, for example {'-'.join([*before, name])}",
        )
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
        raise ProjectError(
            f"{given!r} is not a stack name", "use 1 to 100 letters, digits, hyphens, underscores and periods"
        )
    return name


def backend_folder(root: Path, settings: Mapping[str, Any]) -> Path | None:
    """The folder that holds the state of a project with these settings; None where it is kept elsewhere than in files."""
    url = _backend_url(settings)
    return (
        (root / Path(url.removeprefix("file://")).expanduser()).resolve()
        if url.startswith("file://")
        else None
    )


def _backend_url(settings: Mapping[str, Any]) -> str:
    return str(
        os.environ.get("PULUMI_BACKEND_URL") or (settings.get("backend") or {}).get("url") or "file://."
    )


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def fits(value: ConfigValue, spec: Mapping[str, Any]) -> bool:
    """Whether a value is of the type that Pulumi.yaml declares."""
    try:
        return _fits(json.loads(value.text) if spec["type"] in ("array", "object") else value.text, spec)
    except ValueError:
        return False


def _fits(content: Any, spec: Mapping[str, Any]) -> bool:
    type_ = spec.get("type", "string")
    if type_ == "integer":
        return (
            not isinstance(content, bool)
            and isinstance(content, int | float | str)
            and (not isinstance(content, str) or re.fullmatch(r"[+-]?[0-9]+", content) is not None)
            and int(content) is not None
        )
    if type_ == "boolean":
        return isinstance(content, bool) or content in ("true", "false")
    if type_ == "array":
        return isinstance(content, list) and all(_fits(each, spec.get("items") or {}) for each in content)
    return isinstance(content, {"string": str, "object": dict}.get(type_, ()))


def type_name(spec: Mapping[str, Any]) -> str:
    """How the CLI calls a declared type."""
    items = spec.get("items") if spec["type"] == "array" else None
    return f"array<{type_name(items)}>" if items else spec["type"]
