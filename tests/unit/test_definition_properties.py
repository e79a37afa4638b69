"""Definitions of New web services, any that there could be: one place changes, no secret leaves, all else is kept."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.errors import BindingFailed
from clients.studio_new import definition as definitions
from clients.studio_new.contract import contract_of

# Nothing here is about time: a busy machine may draw slowly.
anything = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SECRET = "s3cr3t-of-the-service"
URI = "https://other.blob.core.windows.net/registry/models/flights/new.ilearner"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
KNOWN = {
    "properties", "assets", "name", "type", "locationinfo", "uri", "credentials", "id", "etag", "systemdata",
    "keys", "storageaccount", "packagetype", "createdon", "modifiedon", "provisioningstate", "swaggerlocation",
    "payloadsinblobstorage", "payloadslocation", "location", "commitmentplan",
}  # fmt: skip
unknown = st.dictionaries(texts.filter(lambda name: name.lower() not in KNOWN), values, max_size=3)


@st.composite
def shuffled(draw: st.DrawFn, *members: dict[str, Any]) -> dict[str, Any]:
    """All members in any order."""
    pairs = [pair for one in members for pair in one.items()]
    return dict(draw(st.permutations(pairs)))


@st.composite
def spelled(draw: st.DrawFn, members: dict[str, Any]) -> dict[str, Any]:
    """The members in ARM's spelling or in Studio's."""
    pascal = draw(st.booleans())
    return {(name[0].upper() + name[1:] if pascal else name): value for name, value in members.items()}


@st.composite
def assets_of(draw: st.DrawFn, name: str, kind: str) -> dict[str, Any]:
    place = draw(
        spelled(
            {"uri": f"https://a.blob.core.windows.net/c/{draw(texts)}?sig={SECRET}", "credentials": SECRET}
        )
    )
    known = draw(spelled({"name": name, "type": kind, "locationInfo": draw(shuffled(place, draw(unknown)))}))
    return draw(shuffled(known, draw(unknown)))


@st.composite
def any_definitions(draw: st.DrawFn) -> tuple[dict[str, Any], list[str]]:
    """A definition with modules and one to four trained models, and the models' names."""
    models = draw(
        st.lists(texts.filter(bool), min_size=1, max_size=4, unique_by=lambda name: name.casefold())
    )
    modules = draw(st.lists(texts, max_size=3))
    listed = [draw(assets_of(name, draw(st.sampled_from(["Resource", "resource"])))) for name in models]
    listed += [draw(assets_of(name, "Module")) for name in modules]
    listed = draw(st.permutations(listed))
    names = draw(st.lists(texts, min_size=len(listed), max_size=len(listed), unique=True))
    own = draw(
        spelled(
            {
                "assets": dict(zip(names, listed, strict=True)),
                "packageType": "Graph",
                "keys": {"primary": SECRET, "secondary": SECRET},
                "storageAccount": {"name": "acct", "key": SECRET},
                "provisioningState": "Succeeded",
            }
        )
    )
    whole = draw(
        spelled({"id": "/a/b", "location": "westeurope", "properties": draw(shuffled(own, draw(unknown)))})
    )
    return draw(shuffled(whole, draw(unknown))), models


def differences(one: Any, other: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths at which two values differ; members in another order differ at their holder."""
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            return [path]
        return [found for key in one for found in differences(one[key], other[key], (*path, key))]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for at in range(len(one)) for found in differences(one[at], other[at], (*path, at))]
    return [] if type(one) is type(other) and one == other else [path]


@anything
@given(any_definitions(), st.data())
def test_another_model_changes_one_address_and_nothing_else(drawn, data):
    """Everything else, known or not, is there in its order; the name's case does not matter."""
    definition, models = drawn
    before = copy.deepcopy(definition)
    name = data.draw(st.sampled_from(models))
    changed = definitions.with_model(definition, name, URI)
    assert definition == before
    [path] = differences(definition, changed)
    assert path[-1].lower() == "uri"
    assert path[-2].lower() == "locationinfo"
    assert definitions.models(changed) == {**definitions.models(definition), name: URI}
    assert list(definitions.models(changed)) == list(definitions.models(definition))


@anything
@given(any_definitions())
def test_a_model_that_is_not_there_is_refused_by_name(drawn):
    """And the error names those that are."""
    definition, models = drawn
    with pytest.raises(BindingFailed) as refused:
        definitions.with_model(definition, "".join(models) + "no", URI)
    assert "0 trained models" in refused.value.cause


@anything
@given(any_definitions())
def test_a_name_that_two_models_have_is_refused(drawn):
    """Which of them would be meant, nobody knows."""
    definition, models = drawn
    assets = definitions.member(definitions.properties(definition), "assets")
    twin = next(one for one in assets.values() if definitions.is_resource(one))
    assets["a twin of it, under an id of its own"] = copy.deepcopy(twin)
    with pytest.raises(BindingFailed, match="2 trained models"):
        definitions.with_model(definition, definitions.member(twin, "name"), URI)
    assert models


@anything
@given(any_definitions())
def test_an_export_holds_no_secret_and_all_else(drawn):
    """Keys, credentials, signatures and the account's key are gone; exporting again changes nothing."""
    definition, models = drawn
    before = copy.deepcopy(definition)
    found = definitions.exported(definition)
    assert definition == before
    assert SECRET not in json.dumps(found, ensure_ascii=False)
    assert list(definitions.models(found)) == list(definitions.models(definition))
    assert set(models) == set(definitions.models(found))
    assert definitions.account_name(found) == "acct"
    assert definitions.exported(found) == found
    kept = {key for key in definition if key.lower() not in ("id", "properties")}
    assert all(found[key] == definition[key] for key in kept)
    own, then = definitions.properties(definition), definitions.properties(found)
    dropped = ("keys", "provisioningstate", "storageaccount", "assets")
    assert all(then[key] == own[key] for key in own if key.lower() not in dropped)


@anything
@given(any_definitions())
def test_a_patch_carries_the_assets_as_they_are(drawn):
    """All of them, and the discriminator; nothing else."""
    definition, _models = drawn
    patch = definitions.patch_of(definition)
    own = definitions.properties(definition)
    assert patch == {"properties": {"packageType": "Graph", "assets": definitions.member(own, "assets")}}


@anything
@given(any_definitions(), st.data())
def test_a_definition_is_the_same_whatever_model_it_serves(drawn, data):
    """What stands for it in a run key does not change when a model is bound, and does when its graph changes."""
    definition, models = drawn
    bound = definitions.with_model(definition, data.draw(st.sampled_from(models)), URI)
    own = definitions.properties(definition)
    definitions.put_member(own, "package", {"nodes": {"a": {"inputId": "input1"}}, "edges": []})
    another = dict(definition)
    definitions.put_member(another, "properties", own)
    digests = [contract_of("service", one).digest for one in (definition, bound, another)]
    assert digests[0] == digests[1] != digests[2]


@anything
@given(
    any_definitions(),
    st.dictionaries(st.sampled_from(["assets", "input", "package"]), st.dictionaries(texts, values)),
)
def test_a_large_definition_is_completed_by_its_payload(drawn, payload):
    """What the blob holds takes its place; what is only about the blob does not go back to the service."""
    definition, _models = drawn
    own = definitions.properties(definition)
    for name in ("assets", "Assets"):
        own.pop(name, None)
    own |= {"payloadsInBlobStorage": True, "payloadsLocation": {"uri": URI, "credentials": SECRET}}
    large = {
        **{key: value for key, value in definition.items() if key.lower() != "properties"},
        "properties": own,
    }
    assert definitions.payload_location(large) == (URI, SECRET)
    whole = definitions.inlined(large, payload)
    put = definitions.complete(whole, {"name": "acct", "key": "k"}, "/plan")
    there = definitions.properties(put)
    for name, value in payload.items():
        if value is not None:
            assert definitions.member(there, name) == value
    assert definitions.member(there, "payloadsLocation") is None
    assert definitions.member(there, "payloadsInBlobStorage") is None
    assert SECRET not in json.dumps(definitions.exported(whole), ensure_ascii=False)
