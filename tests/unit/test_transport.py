"""HTTP as all clients do it: reads are tried again, writes never, errors say what to do, secrets stay in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
import stamina
from requests.adapters import BaseAdapter

from clients import errors
from clients.studio_data_plane.jobs import StudioJobs
from clients.transport import Retry, Transport, redact


class Service(BaseAdapter):
    """Answers what it is told, in order; an exception is raised instead."""

    def __init__(self, *answers: object) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request, **_options):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        response = requests.Response()
        response.status_code = status
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response.headers.update(headers[0] if headers else {})
        response.url = request.url
        response.request = request
        return response

    def close(self) -> None:
        return


@pytest.fixture(autouse=True)
def without_waits() -> Iterator[None]:
    """No test waits between two tries; how often is kept."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


def transport(service: Service) -> Transport:
    session = requests.Session()
    session.mount("http://", service)
    return Transport("the studio", "http://studio/", session=session, remedy="start it")


def envelope(code: str, message: str, detail: str = "") -> dict:
    details = [{"code": detail, "message": message}] if detail else []
    return {"error": {"code": code, "message": message, "details": details}}


def test_a_read_is_tried_again_until_it_succeeds():
    """A dropped connection and a 503 are passing."""
    service = Service(
        requests.ConnectionError(), (503, envelope("ServiceUnavailable", "busy")), (200, {"a": 1})
    )
    assert transport(service).get("x") == {"a": 1}
    assert len(service.requests) == 3


def test_half_an_answer_to_a_read_is_asked_for_again():
    """It ended before its end; one that can't be read for another reason is not tried again."""
    half = requests.exceptions.ChunkedEncodingError("2 bytes read, 3 more expected")
    service = Service(half, (200, {"a": 1}))
    assert transport(service).get("x") == {"a": 1}
    for error, times in ((half, 3), (requests.exceptions.ContentDecodingError("gzip"), 1)):
        service = Service(error)
        with pytest.raises(errors.ServiceError, match="cannot be read"):
            transport(service).get("x")
        assert len(service.requests) == times


@pytest.mark.parametrize("verb", ["post", "put", "patch"])
@pytest.mark.parametrize(
    "answer",
    [
        requests.ConnectionError(),
        requests.exceptions.ChunkedEncodingError("half"),
        (500, b"oops"),
        (503, b"busy"),
    ],
)
def test_a_write_is_sent_once(verb, answer):
    """A repeated POST would start a second job."""
    service = Service(answer)
    with pytest.raises(errors.RetrainError):
        getattr(transport(service), verb)("jobs", {})
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.ServiceError),
        (401, errors.CredentialError),
        (403, errors.CredentialError),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (412, errors.Conflict),
        (429, errors.Throttled),
        (503, errors.Throttled),
        (500, errors.ServiceError),
    ],
)
def test_each_status_has_its_error(status, kind):
    """One tree, one kind for each thing to do."""
    with pytest.raises(kind) as caught:
        transport(Service((status, envelope("C", "message")))).post("x")
    assert type(caught.value) is kind
    assert f"{status}" in caught.value.cause


def test_the_most_specific_code_and_the_request_id_are_kept():
    """Support asks for them."""
    answer = (400, envelope("BadArgument", "wrong", "InvalidBlobExtension"), {"x-ms-request-id": "r-1"})
    with pytest.raises(errors.ServiceError, match="InvalidBlobExtension") as caught:
        transport(Service(answer)).post("x")
    assert (caught.value.code, caught.value.request_id) == ("InvalidBlobExtension", "r-1")
    assert "request id r-1" in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error": "text"}', b'{"error": {"details": [1]}}']
)
def test_an_error_without_an_envelope_is_still_an_error(body):
    """Proxies answer in HTML."""
    with pytest.raises(errors.ServiceError):
        transport(Service((418, body))).get("x")


def test_nothing_that_answers_says_what_to_do():
    """The remedy is the target's own."""
    with pytest.raises(errors.Unreachable) as caught:
        transport(Service(requests.ConnectionError())).get("x")
    assert caught.value.remedy == "start it"
    assert "does not answer at http://studio/" in caught.value.cause


def test_an_answer_that_is_no_json_is_an_error():
    """An address that is not the service's own."""
    with pytest.raises(errors.ServiceError, match="not JSON"):
        transport(Service((200, b"<html>"))).get("x")


def test_a_start_is_tried_again_for_a_second_one_is_refused():
    """The answer to the first try was lost, the job runs: CannotStartJob is no error."""
    lost = requests.ConnectionError("closed")
    service = Service(lost, (503, {}, {"Retry-After": "0"}), (400, envelope("CannotStartJob", "it runs")))
    StudioJobs(transport(service)).start("job1")
    assert [request.method for request in service.requests] == ["POST"] * 3


def test_deleting_what_is_gone_is_no_error():
    """Deletes are idempotent."""
    transport(Service((404, envelope("NotFound", "gone")))).delete("x")


@pytest.mark.parametrize("secret", ["sig=abc%2B%3D", "AccountKey=abc+/==", "Bearer abc=="])
def test_secrets_are_cut_out(secret):
    """No signature, key or token in an error."""
    assert "abc" not in redact(f"http://x?a=1&{secret}&b=2")


def test_a_half_made_retry_is_refused():
    """Value objects refuse nonsense."""
    with pytest.raises(ValueError, match="at least one attempt"):
        Retry(attempts=0)
