"""Text from outside: one line, bounded, without control characters and secrets, wherever it comes in."""

from __future__ import annotations

import json
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import errors
from clients.protocols import JobState, JobStatus
from clients.studio_data_plane.jobs import StudioJobs
from clients.text import MOST, redact, told
from tests.unit.test_resource_manager import manager
from tests.unit.test_transport import Service, transport

SECRET = "Zm9vYmFyYmF6cXV4"
KEY = "q" * 86 + "=="
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
SPELT = [
    f"https://a.blob.core.windows.net/c/m?sv=1&sig={SECRET}%3D&se=2",
    f"?SIG={SECRET}",
    f"%3Fsv%3D1%26sig%3D{SECRET}%253D%26se%3D2",
    f"?%73ig={SECRET}",
    f"?s%2569g%253d{SECRET}",
    f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET}+/==;EndpointSuffix=x",
    f"AccountKey = {SECRET}",
    f"BlobEndpoint=https://a/;SharedAccessSignature=sv=1&sig={SECRET}",
    f"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey={SECRET}=",
    f"Server=tcp:x;User ID=u;Password={SECRET};Encrypt=True",
    f"Server=x;Pwd='{SECRET} with a blank'",
    f"Authorization: Bearer {SECRET}",
    f"Authorization: Basic {SECRET}==",
    f"authorization: {SECRET}",
    f"{{'Authorization': 'SharedKey account:{SECRET}='}}",
    f"bearer {SECRET}",
    f"x-api-key: {SECRET}",
    f"api-key={SECRET}",
    f"Ocp-Apim-Subscription-Key: {SECRET}",
    json.dumps({"primaryKey": SECRET, "secondaryKey": SECRET}),
    json.dumps({"primary": SECRET, "secondary": f"{SECRET} two"}),
    json.dumps({"said": json.dumps({"primaryKey": SECRET})}),
    json.dumps({"access_token": SECRET, "token_type": "Bearer"}),
    f"grant_type=x&client_secret={SECRET}&scope=y",
    f"http://user:{SECRET}@proxy.example:8080/",
    f"si\x00g=\x1b[31m{SECRET}",
    f"Account\u200bKey={SECRET}",
    f"sig=\n  {SECRET}",
]


@pytest.mark.parametrize("text", SPELT)
def test_no_secret_comes_through(text):
    """However it is spelt, inside whatever."""
    shown = told(f"before {text} after")
    assert SECRET not in shown
    assert shown.startswith("before ")
    assert shown == redact(shown)


@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_keys_and_tokens_are_known_by_their_look(secret):
    """Nothing names them."""
    assert told(f"the key {secret} is wrong") == "the key *** is wrong"


@pytest.mark.parametrize(
    "text",
    [
        "the endpoint 'a' at https://a.blob.core.windows.net/c/m.ilearner?sv=1 is gone",
        "set RETRAIN_WORKSPACE_TOKEN to a token of this workspace: ümläut, 日本, 🙂",
        "the design = new, config: old; primary region: West Europe",
        f"training run {'0' * 64} failed: Error 0000: Internal error",
    ],
)
def test_what_is_no_secret_stays(text):
    """Errors have to say what is wrong."""
    assert told(text) == text


@given(st.text(st.characters()), st.sampled_from(SPELT), st.text(st.characters()))
def test_whatever_is_told_is_clean(before, secret, after):
    """One line that any terminal and any encoding can show."""
    shown = told(before + " " + secret + " " + after)
    shown.encode()
    assert "\n" not in shown
    assert len(shown) <= MOST
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert SECRET not in shown


@given(st.binary())
def test_any_bytes_are_told(content):
    """As a service sends them, quoted or not."""
    text = content.decode("latin-1")
    for said in (text, quote(text), json.dumps(text)):
        assert told(said) == told(told(said))


def test_a_long_text_is_cut_and_costs_little():
    """Two million characters of a log."""
    assert told("sig=" * 500_000).endswith("***")
    assert len(told("x " * 1_000_000)) == MOST


HOSTILE = " ".join(SPELT) + "\x1b]0;title\x07\u202e\ud800\x00" + "x" * 100_000


def judge(text: str) -> None:
    assert SECRET not in text
    assert len(text) <= 2 * MOST + 200
    assert not [one for one in text.replace("\n", "") if unicodedata.category(one) in ("Cc", "Cf", "Cs")]


def kinds(of: type[errors.RetrainError] = errors.RetrainError) -> list[type[errors.RetrainError]]:
    return [of, *(one for kind in of.__subclasses__() if "clients" in kind.__module__ for one in kinds(kind))]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_no_error_of_any_kind_tells_more(kind):
    """Cause, remedy and request id, in whichever the text is."""
    error = kind(HOSTILE, HOSTILE, request_id=HOSTILE)
    judge(str(error))
    judge(" ".join(map(str, error.args)))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 429, 500, 503])
@pytest.mark.parametrize("shape", ["envelope", "text"])
def test_no_answer_tells_more(status, shape):
    """The service's own words, in its envelope or as a page."""
    body = {
        "error": {"code": HOSTILE, "message": HOSTILE, "details": [{"code": HOSTILE, "message": HOSTILE}]}
    }
    content = body if shape == "envelope" else HOSTILE.encode("utf-8", "replace")
    with pytest.raises(errors.RetrainError) as caught:
        transport(Service((status, content))).post("x")
    judge(str(caught.value))


def test_no_operation_tells_more():
    """Its end is another way in."""
    failed = {"status": "Failed", "error": {"code": HOSTILE, "message": HOSTILE}}
    arm, *_ = manager((202, b"", {"Azure-AsyncOperation": "http://studio/1"}), (200, failed))
    with pytest.raises(errors.ServiceError) as caught:
        arm.put("/a", {}, "the thing")
    judge(str(caught.value))


@pytest.mark.parametrize("details", [HOSTILE, {"message": HOSTILE}, [HOSTILE]])
def test_no_job_tells_more(details):
    """Its details go to the ledger and to the terminal."""
    answer = {"StatusCode": "Failed", "Details": details, "Progress": {"Module": HOSTILE}}
    found = StudioJobs(transport(Service((200, answer)))).status("1")
    judge(found.details)
    judge(found.progress)
    assert JobStatus(JobState.FAILED, {}, HOSTILE).details == told(HOSTILE)
