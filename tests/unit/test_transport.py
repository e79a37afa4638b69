"""HTTP as all clients do it: reads are tried again, writes never, errors say what to do, secrets stay in."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import stamina
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from clients import errors
from clients.deadlines import within
from clients.http import connections
from clients.http.transport import Transport, fetch, retry_after
from clients.studio_data_plane.jobs import StudioJobs
from retrain_hooks.host.interruption import EngineGuard


class Service(BaseAdapter):
    """Answers what it is told, in order; an exception is raised instead."""

    def __init__(self, *answers: object) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []
        self.options: list[dict] = []

    def send(self, request, **options):
        self.requests.append(request)
        self.options.append(options)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        response = requests.Response()
        response.status_code = status
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response.headers.update(headers[0] if headers else {})
        response.raw = HTTPResponse(status=status)
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


@contextmanager
def in_their_place(tries: int) -> Iterator[None]:
    """What is played answers within this only; nobody waits between so many tries."""
    kept = connections.SESSION.adapters.copy()
    stamina.set_testing(True, attempts=tries, cap=True)
    yield
    stamina.set_testing(False)
    connections.SESSION.adapters = kept


def play(service: Service, where: str) -> None:
    """Let *service* answer whatever is asked at *where*."""
    connections.SESSION.mount(where, service)


def transport(service: Service) -> Transport:
    play(service, "http://studio/")
    return Transport("the studio", "http://studio/", remedy="start it")


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


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_that_is_redirected_is_an_error(status):
    """Sent again as a GET, what answers there would be taken for the result."""
    service = Service((status, b"", {"Location": "http://studio/elsewhere"}), (200, {"done": True}))
    with pytest.raises(errors.ServiceError, match=f"{status}"):
        transport(service).post("jobs", {})
    assert len(service.requests) == 1


def test_a_read_that_is_redirected_is_followed():
    """Storage moves, and old addresses go on answering."""
    service = Service((302, b"", {"Location": "http://studio/elsewhere"}), (200, {"a": 1}))
    assert transport(service).get("x") == {"a": 1}


def test_what_is_fetched_by_its_address_bears_no_credential_and_no_secret_in_its_errors():
    """The signature is in the address; an error names the blob without it."""
    service = Service((403, b"<Error/>", {"x-ms-error-code": "AuthenticationFailed"}))
    play(service, "http://account/")
    with pytest.raises(errors.CredentialError, match="the model answered 403 AuthenticationFailed") as caught:
        fetch("the model", "http://account/c/m.ilearner?sig=abc", "see who deletes it")
    assert "abc" not in str(caught.value)
    assert "Authorization" not in service.requests[0].headers
    service.answers = [(200, b"bytes")]
    assert fetch("the model", "http://account/c/m.ilearner?sig=abc", "see who deletes it") == b"bytes"


LATER = "Fri, 31 Dec 2100 23:59:59 GMT"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({"Retry-After": "75"}, 75),
        ({"Retry-After": " 1.5 "}, 1.5),
        ({"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT", "Date": "Fri, 31 Dec 2100 23:58:59 GMT"}, 60),
        ({"Retry-After": "Friday, 31-Dec-99 23:59:59 GMT", "Date": "Friday, 31-Dec-99 23:59:59 GMT"}, 0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        *(({"Retry-After": said}, None) for said in ("", "-1", "nan", "inf", "soon", "Fri, 99 Foo 2100")),
        ({}, None),
    ],
)
def test_when_to_ask_again_is_read_however_it_is_said(answer, seconds):
    """Seconds, or a date by the service's own clock."""
    response = requests.Response()
    response.headers.update(answer)
    assert retry_after(response) == seconds


@pytest.mark.parametrize("wish", ["75", LATER])
def test_a_service_that_wants_to_be_asked_later_than_may_be_waited_is_not_waited_for(wish):
    """The deadline wins; within a longer wait its wish does."""
    service = Service((503, b"busy", {"Retry-After": wish}), (200, {"a": 1}))
    with pytest.raises(errors.Throttled) as caught:
        transport(service).get("x")
    assert len(service.requests) == 1
    assert caught.value.retry_after >= 74
    service = Service((503, b"busy", {"Retry-After": wish}), (200, {"a": 1}))
    with within(1e10):
        assert transport(service).get("x") == {"a": 1}


def test_each_try_fits_what_is_left_of_the_wait():
    """Connecting, reading and trying again come to one end."""
    service = Service(requests.Timeout())
    with within(3), pytest.raises(errors.Unreachable, match="did not answer within 3 s"), within(1e6):
        transport(service).get("x")
    assert all(options["timeout"][0] <= 3 and options["timeout"][1] <= 3 for options in service.options)


def test_a_credential_stays_with_its_host_and_netrc_has_none(tmp_path, monkeypatch):
    """A read that is sent elsewhere goes on without it."""
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    service = Service((302, b"", {"Location": "http://elsewhere/x"}))
    there = Service((200, {"a": 1}))
    play(there, "http://elsewhere/")
    own = replace(transport(service), authorize=lambda: {"Authorization": "Bearer t"})
    assert own.get("x") == {"a": 1}
    assert service.requests[0].headers["Authorization"] == "Bearer t"
    assert "Authorization" not in there.requests[0].headers


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE])
def test_without_a_file_descriptor_nobody_else_is_at_fault(code, monkeypatch):
    """Neither is the service away, nor is the engine gone."""
    service = Service(requests.ConnectionError(f"[Errno {code}] Too many open files"))
    with pytest.raises(errors.Unreachable, match="no free file descriptor"):
        transport(service).get("x")

    def none_left(*_arguments: object, **_options: object) -> None:
        raise OSError(code, "Too many open files")

    monkeypatch.setattr(socket, "create_connection", none_left)
    EngineGuard("127.0.0.1:1").check()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("minutes", "way"), [(90, "behind"), (-90, "ahead of"), (1, ""), (None, "")])
def test_a_refusal_that_comes_of_a_wrong_clock_says_so(status, minutes, way):
    """Signatures and tokens are not valid yet, or no more."""
    then = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
    headers = {"Date": format_datetime(then, usegmt=True)} if then else {}
    with pytest.raises(errors.CredentialError) as caught:
        transport(Service((status, b"", headers))).get("x")
    assert (f"clock, which is 90 minutes {way}" in caught.value.remedy) == bool(way)
