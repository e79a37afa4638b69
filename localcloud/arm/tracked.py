"""What every resource type in a resource group does alike: PUT, GET, PATCH, DELETE, the lists, POST actions.

ResourceType      where its resources are, and their end
└── TrackedType   done at once: a type says what its document is; the rest (names, group, location, tags, who
                  created it when) is here
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.arm.errors import ArmError, resource_not_found
from localcloud.arm.operation import (
    Answer,
    Call,
    Operation,
    check_available,
    created_by,
    location_of,
    section,
    tags_of,
)
from localcloud.arm.state import ArmState, Document

Action = Callable[[Call, Document], Answer]


class ResourceType(ABC):
    """A resource type; `type` is its full name such as `Microsoft.Storage/storageAccounts`.

    `versions` are the api-versions it answers; none: any.
    """

    type: ClassVar[str]
    versions: ClassVar[tuple[str, ...]] = ()

    @property
    def in_group(self) -> str:
        """The path of the type in a resource group."""
        return f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{self.type}"

    @property
    def everywhere(self) -> str:
        """The path of the type in the subscription."""
        return f"/subscriptions/{{subscription}}/providers/{self.type}"

    @abstractmethod
    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""

    def remove(self, state: ArmState, document: Document) -> None:
        """Remove the resource with what is in it; a type with more than documents behind it removes that, too."""
        for inside in state.store.arm_list(f"{document['id']}/"):
            state.remove(inside)
        state.store.arm_delete(document["id"])

    def existing(self, call: Call) -> Document | None:
        """The resource that a call names, if there is one. Raises ResourceGroupNotFound."""
        group = call.state.group(call.path["group"])
        return call.state.get(f"{group['id']}/providers/{self.type}/{call.path['name']}")


class TrackedType(ResourceType):
    """A resource type whose operations are done when they are answered.

    `writable` are the members beside location and tags at the top of the document that clients set; `called` is what
    people call one.
    """

    created_status: ClassVar[int] = 201
    writable: ClassVar[tuple[str, ...]] = ("sku",)
    called: ClassVar[str]

    def check_name(self, name: str) -> None:
        """Raise ArmError for a name that the type does not take: more than 260 characters, or ARM's separators."""
        if len(name) > 260 or re.search(r"[<>%&?#\\]", name):
            message = f"The {self.called} name '{name}' is not valid: up to 260 characters, none of <>%&?#\\."
            one = self.type.rpartition("/")[2].removesuffix("s")
            raise ArmError(400, "InvalidResourceName", message, target=f"{one}Name")

    @abstractmethod
    def completed(self, call: Call, document: Document, old: Document | None) -> Document:
        """The document to keep, from one whose `properties` are as the client sent them.

        `old` is what is there (None: the resource is new). Raises ArmError to refuse.
        """

    @abstractmethod
    def patched(self, call: Call, sent: dict[str, Any], old: Document) -> Document:
        """The document after a PATCH whose `properties` are `sent`; tags are done already."""

    def shown(self, call: Call, document: Document) -> Document:
        """The resource as it is answered."""
        return document

    def actions(self) -> Mapping[str, Action]:
        """POST actions by their name in the path."""
        return {}

    def operations(self) -> tuple[Operation, ...]:
        """All operations of the type."""
        one = f"{self.in_group}/{{name}}"
        return (
            Operation("PUT", one, self._put, self.versions),
            Operation("GET", one, self._get, self.versions),
            Operation("PATCH", one, self._patch, self.versions),
            Operation("DELETE", one, self._delete, self.versions),
            Operation("GET", self.in_group, self._list, self.versions),
            Operation("GET", self.everywhere, self._list, self.versions),
            *(
                Operation("POST", f"{one}/{name}", self._acting(action), self.versions)
                for name, action in self.actions().items()
            ),
        )

    def _acting(self, action: Action) -> Callable[[Call], Answer]:
        def act(call: Call) -> Answer:
            return action(call, self.find(call))

        act.__doc__ = action.__doc__
        return act

    def find(self, call: Call) -> Document:
        """The resource that a call names. Raises ResourceNotFound."""
        found = self.existing(call)
        if found is None:
            raise resource_not_found(self.type, call.path["name"], call.path["group"])
        return found

    def _get(self, call: Call) -> Answer:
        """Get it."""
        return Answer(200, self.shown(call, self.find(call)))

    def _put(self, call: Call) -> Answer:
        """Create it, or change what is declared."""
        sent, name = call.document(), call.path["name"]
        group = call.state.group(call.path["group"])
        self.check_name(name)
        location, tags = location_of(sent), tags_of(sent)
        resource_id = f"{group['id']}/providers/{self.type}/{name}"
        with call.state.transaction():
            old = call.state.get(resource_id)
            if old is not None and old["location"] != location:
                raise moved(old, group, location)
            if old is None:
                check_available(self.type, location)
            document: Document = {
                "id": old["id"] if old else resource_id,
                "name": old["name"] if old else name,
                "type": self.type,
                "location": location,
                "tags": tags,
                "systemData": (old or {}).get("systemData") or created_by(call),
                **{key: sent[key] for key in self.writable if sent.get(key) is not None},
                "properties": section(sent, "properties"),
            }
            document = self.completed(call, document, old)
            call.state.put(document)
        return Answer(200 if old else self.created_status, self.shown(call, document))

    def _patch(self, call: Call) -> Answer:
        """Change what the body names."""
        sent = call.document()
        with call.state.transaction():
            old = self.find(call)
            if sent.get("tags") is not None:
                old["tags"] = tags_of(sent)
            document = self.patched(call, section(sent, "properties"), old)
            call.state.put(document)
        return Answer(200, self.shown(call, document))

    def _delete(self, call: Call) -> Answer:
        """Delete it with all that stands behind it; 204 where there is none."""
        document = self.existing(call)
        if document is None:
            return Answer(204)
        call.state.remove(document)
        return Answer(200)

    def _list(self, call: Call) -> Answer:
        """List them."""
        found = call.state.resources(self.type, call.path.get("group"))
        return Answer(200, {"value": [self.shown(call, one) for one in found]})


def moved(old: Document, group: Document, location: str) -> ArmError:
    """409: a resource keeps its location."""
    message = (
        f"The resource '{old['name']}' already exists in location '{old['location']}' in resource group"
        f" '{group['name']}'. A resource with the same name cannot be created in location '{location}'."
        " Please select a new resource name."
    )
    return ArmError(409, "InvalidResourceLocation", message, target="location", gateway=True)
