"""What the directory answers, good and bad, and which tokens Resource Manager takes."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import replace

import jwt
import pytest

from localcloud.directory.errors import AadError
from localcloud.directory.keys import SigningKey
from localcloud.directory.state import Directory
from localcloud.facilities.cloud import Principal
from tests.aad.conftest import SUBSCRIPTION, TENANT, cloud_of

V2 = f"{TENANT}/oauth2/v2.0/token"
V1 = f"{TENANT}/oauth2/token"


def test_discovery_names_addresses_of_the_host_that_was_asked(door):
    """By whichever scheme and name a client came, it stays there."""
    for base in (door.https, door.http, door.https.replace("127.0.0.1", "localhost")):
        answer = door.session.get(f"{base}/{TENANT}/v2.0/.well-known/openid-configuration", timeout=30)
        found = answer.json()
        assert found["token_endpoint"] == f"{base}/{TENANT}/oauth2/v2.0/token"
        assert (
            door.session.get(found["jwks_uri"], timeout=30).json()["keys"][0]["kid"] == door.directory.key.id
        )


def test_instance_discovery_knows_this_host_alone(door):
    """What adal and msal ask of an authority that they don't know."""
    found = door.session.get(f"{door.https}/common/discovery/instance?api-version=1.1", timeout=30).json()
    assert found["metadata"][0]["aliases"] == [door.https.removeprefix("https://")]
    assert found["tenant_discovery_endpoint"].startswith(f"{door.https}/{TENANT}/")


def test_a_token_is_signed_with_the_published_key(door):
    """Anybody can check it, and it says who, for what and how long."""
    keys = door.session.get(f"{door.https}/{TENANT}/discovery/v2.0/keys", timeout=30).json()["keys"]
    token = door.token("reader")
    claims = jwt.decode(
        token, jwt.PyJWK(keys[0]), algorithms=["RS256"], audience="https://management.azure.com"
    )
    assert claims["appid"] == door.principal("reader").client_id
    assert claims["tid"] == TENANT
    assert claims["exp"] - claims["iat"] == 3600


def test_version_one_answers_in_strings(door):
    """adal reads numbers from strings; the resource may end in a slash."""
    form = door.form(scope="", resource="https://management.core.windows.net/")
    answer = door.sign_in(V1, form).json()
    assert answer["expires_in"] == "3600"
    assert int(answer["expires_on"]) - int(answer["not_before"]) == 3600
    assert answer["resource"] == "https://management.core.windows.net/"
    assert door.arm(answer["access_token"]).status_code == 200


def test_a_client_may_send_its_secret_in_the_header(door):
    """RFC 6749 asks servers to support it."""
    owner = door.principal("owner")
    form = door.form(client_id="", client_secret="")
    assert door.sign_in(V2, form, auth=(owner.client_id, owner.secret)).status_code == 200
    assert door.sign_in(V2, form, auth=(owner.client_id, "wrong")).status_code == 401


@pytest.mark.parametrize(
    ("path", "changes", "status", "error", "number"),
    [
        (V2, {"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        (V2, {"client_secret": ""}, 401, "invalid_client", 7000218),
        (V2, {"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        (V2, {"client_id": ""}, 400, "invalid_request", 900144),
        (V2, {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        (V2, {"grant_type": ""}, 400, "invalid_request", 900144),
        (V2, {"scope": "https://management.azure.com/user"}, 400, "invalid_scope", 1002012),
        (V2, {"scope": "https://vault.azure.net/.default"}, 400, "invalid_resource", 500011),
        (V1, {"resource": "https://vault.azure.net"}, 400, "invalid_resource", 500011),
        ("other-tenant/oauth2/v2.0/token", {}, 400, "invalid_request", 90002),
    ],
)
def test_what_is_refused_says_why_with_the_directorys_code(door, path, changes, status, error, number):
    """OAuth's error and Azure's number; the secret isn't repeated."""
    answer = door.sign_in(path, door.form(**changes))
    found = answer.json()
    assert (answer.status_code, found["error"], found["error_codes"]) == (status, error, [number])
    assert found["error_description"].startswith(f"AADSTS{number}: ")
    assert door.principal("owner").secret not in answer.text


def assertion(door, key=None, **changes):
    claims = jwt.decode(
        door.principal("owner").federated_token_file.read_text(), options={"verify_signature": False}
    )
    return (key or door.directory.key).sign(claims | changes)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"aud": "https://management.azure.com"}, 50027),
        ({"iss": "https://token.example"}, 50027),
        ({"exp": 1}, 700024),
        ({"nbf": 4102444800}, 700024),
        ({"sub": "reader"}, 700213),
    ],
)
def test_a_federated_token_is_checked_in_all_its_parts(door, changes, number):
    """Signature, issuer, audience, time and subject."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = door.form(client_secret="", client_assertion_type=kind)
    good = door.sign_in(V2, form | {"client_assertion": assertion(door)})
    assert good.status_code == 200, good.text
    bad = door.sign_in(V2, form | {"client_assertion": assertion(door, **changes)})
    assert (bad.status_code, bad.json()["error_codes"]) == (401, [number])
    foreign = door.sign_in(V2, form | {"client_assertion": assertion(door, SigningKey.new())})
    assert foreign.json()["error_codes"] == [50027]


def test_an_access_token_is_no_federated_token_and_the_other_way_round(door):
    """One key signs both; issuer and audience keep them apart."""
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = door.form(client_secret="", client_assertion_type=kind, client_assertion=door.token())
    assert door.sign_in(V2, form).json()["error_codes"] == [50027]
    federated = door.principal("owner").federated_token_file.read_text()
    assert door.arm(federated).status_code == 401


def test_an_empty_secret_opens_nothing(tmp_path):
    """Not even where a principal was given none."""
    owner = Principal("owner", client_id="c", object_id="o")
    directory = Directory(replace(cloud_of(tmp_path), signs_in=(owner,)))
    with pytest.raises(AadError):
        directory.by_secret("c", "")


def test_an_expired_token_is_refused_as_azure_does(door):
    """The server's clock goes on by the token's lifetime."""
    token = door.token()
    assert door.arm(token).status_code == 200
    door.clock.ahead = 3600
    answer = door.arm(token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert answer.headers["www-authenticate"].startswith(f'Bearer authorization_uri="{door.https}/{TENANT}"')


def test_a_token_for_another_service_is_refused(door):
    """Storage's audience is not Resource Manager's."""
    answer = door.arm(door.token(scope="https://storage.azure.com/.default"))
    assert answer.json()["error"]["code"] == "InvalidAuthenticationTokenAudience"


def unsigned(claims):
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    shown = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*shown, ""])


def test_a_forged_token_is_refused(door):
    """Another key's, an unsigned one, one with a changed claim, one signed with the public key as if it were a secret."""
    token = door.token("reader")
    claims = jwt.decode(token, options={"verify_signature": False})
    owner = claims | {"oid": door.principal("owner").object_id}
    head, _, signature = token.split(".")
    changed = base64.urlsafe_b64encode(json.dumps(owner).encode()).rstrip(b"=").decode()
    forged = [
        SigningKey.new().sign(owner),
        unsigned(owner),
        f"{head}.{changed}.{signature}",
        jwt.encode(owner, door.directory.key.id * 2, algorithm="HS256"),
        "",
        "a.b.c",
    ]
    for one in forged:
        answer = door.arm(one)
        assert answer.status_code == 401, one
        assert answer.json()["error"]["code"] in ("InvalidAuthenticationToken", "AuthenticationFailed")


def test_the_static_tokens_stay_good(door):
    """The owner's and the reader's, for scripts."""
    path = "/resourceGroups/team"
    assert door.arm("static-token-of-the-owner", path, "PUT", {"location": "westeurope"}).status_code == 201
    assert door.arm("static-token-of-the-reader", path).status_code == 200
    assert door.arm("static-token-of-the-reader", path, "DELETE").status_code == 403


def test_the_signing_key_is_kept_for_its_user_alone(door, tmp_path):
    """A restarted studio takes the tokens that it issued before."""
    token, file = door.token(), tmp_path / "signing.key"
    assert SigningKey.open(file).read(token)["tid"] == TENANT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(door.principal("owner").federated_token_file.stat().st_mode) == 0o600


def test_plain_http_stays(door):
    """Scripts and the stand-in use it."""
    answer = door.session.get(
        f"{door.http}/subscriptions/{SUBSCRIPTION}?api-version=1",
        headers={"Authorization": "Bearer static-token-of-the-owner"},
        timeout=30,
    )
    assert answer.status_code == 200
