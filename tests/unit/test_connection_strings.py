"""Connection strings of storage accounts: what opens none has one line of cause and one of remedy."""

from __future__ import annotations

import pytest

from clients.errors import CredentialError
from clients.storage import Container
from clients.storage.account import StorageAccount

KEY = "a2V5"
SAS = "SharedAccessSignature=sv=2024&sig=c2VjcmV0"
GOOD = [
    f"AccountName=abc;AccountKey={KEY}",
    f"DefaultEndpointsProtocol=https;AccountName=abc;AccountKey={KEY};EndpointSuffix=core.windows.net",
    f"AccountName=a;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/a;",
]
WRONG = {
    "": "neither AccountName",
    "nonsense": "neither AccountName",
    f"AccountKey={KEY}": "neither AccountName",
    f"AccountKey={KEY};BlobEndpoint=https://x.example/": "no AccountName that it is of",
    f"AccountName=;AccountKey={KEY}": "no name",
    f"AccountName=a b/../;AccountKey={KEY}": "no name",
    f"AccountName=Ä;AccountKey={KEY}": "no name",
    "AccountName=abc": "no credential",
    "AccountName=abc;AccountKey=": "not base64",
    "AccountName=abc;AccountKey=!!!!": "not base64",
    "AccountName=abc;AccountKey=a2V": "not base64",
    f"AccountName=abc;AccountKey={KEY};BlobEndpoint=http://[": "no address",
    f"AccountName=abc;AccountKey={KEY};BlobEndpoint=http://h:x": "no address",
    f"AccountName=abc;AccountKey={KEY};BlobEndpoint=h": "no address",
}
USES = {
    "url": lambda container: container.url("x"),
    "read": lambda container: container.read("x"),
    "list": lambda container: container.list(),
    "readable": lambda container: container.readable("x"),
    "write": lambda container: container.write("x", b"", etag=None),
    "delete": lambda container: container.delete("x"),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_what_opens_no_account_says_why(text, said, use):
    """Whatever is done with it first; no part of it is said."""
    with pytest.raises(CredentialError, match=said) as caught:
        USES[use](Container(text, "data", "start it"))
    assert KEY not in str(caught.value)
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("text", GOOD)
def test_what_opens_one_is_taken(text):
    """With the account's key."""
    assert Container(text, "data", "start it").readable("x").signature
    assert StorageAccount.parse(text).key == KEY


@pytest.mark.parametrize(
    "text", [f"AccountName=abc;{SAS}", f"BlobEndpoint=https://abc.blob.core.windows.net;{SAS}"]
)
def test_a_signature_opens_an_account_and_goes_no_further(text):
    """It reads and writes; it is in no address, and nothing can be signed with it."""
    container = Container(text, "data", "start it")
    assert container.url("x") == "https://abc.blob.core.windows.net/data/x"
    with pytest.raises(CredentialError, match="has no AccountKey"):
        container.readable("x")
