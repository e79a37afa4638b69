"""Signing in: a token is fetched once, renewed in time and when it is refused, and what fails says what to do."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ChainedTokenCredential, CredentialUnavailableError

from clients import errors
from clients.clock import ManualClock
from clients.credentials import resolve_target
from clients.http.transport import Transport
from clients.sign_in import Bearer, Token, azure
from tests.unit.test_transport import Service, envelope, play

WORKSPACE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearning/workspaces/w"


@dataclass
class Issuer:
    """Gives token after token, each good for *life* seconds."""

    clock: ManualClock = field(default_factory=ManualClock)
    life: float | None = 3600.0
    given: int = 0

    def fetch(self) -> Token:
        self.given += 1
        expires_at = None if self.life is None else self.clock.now().timestamp() + self.life
        return Token(f"token-{self.given}", expires_at)

    def bearer(self) -> Bearer:
        return Bearer(self.fetch, self.clock)


def transport(service: Service, bearer: Bearer) -> Transport:
    play(service, "http://arm/")
    return Transport("ARM", "http://arm/", authorize=bearer.headers, renew=bearer.renew, sign_in="sign in")


def sent(service: Service) -> list[str]:
    """The tokens of the requests."""
    return [request.headers["Authorization"].removeprefix("Bearer ") for request in service.requests]


def test_a_token_is_fetched_once():
    """Signing in costs a second with the Azure CLI."""
    service, issuer = Service((200, {})), Issuer()
    arm = transport(service, issuer.bearer())
    arm.get("a")
    arm.get("b")
    assert sent(service) == ["token-1", "token-1"]


def test_an_entry_in_netrc_does_not_replace_the_token(tmp_path, monkeypatch):
    """A `default` entry, made for some other host, would go to Azure else."""
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    service = Service((200, {}))
    transport(service, Issuer().bearer()).get("a")
    assert sent(service) == ["token-1"]


def test_nobody_signs_in_before_a_request():
    """A target that isn't asked costs nothing."""
    issuer = Issuer()
    transport(Service((200, {})), issuer.bearer())
    assert issuer.given == 0


@pytest.mark.parametrize(("life", "good_for"), [(3600, 3299), (200, 99)])
def test_a_token_is_renewed_before_it_expires(life, good_for):
    """Five minutes before, and a short-lived one at half its life."""
    service, issuer = Service((200, {})), Issuer(life=life)
    arm = transport(service, issuer.bearer())
    arm.get("a")
    issuer.clock.sleep(good_for)
    arm.get("a")
    issuer.clock.sleep(2)
    arm.get("a")
    assert sent(service) == ["token-1", "token-1", "token-2"]


def test_a_refused_token_is_renewed_and_the_write_sent_again():
    """A 401 proves that nothing was done, so even a POST may follow it."""
    service, issuer = Service((401, envelope("ExpiredAuthenticationToken", "old")), (200, {"a": 1})), Issuer()
    assert transport(service, issuer.bearer()).post("jobs", {"b": 2}) == {"a": 1}
    assert sent(service) == ["token-1", "token-2"]
    assert [json.loads(request.body) for request in service.requests] == [{"b": 2}] * 2


def test_a_refused_credential_is_renewed_once():
    """A second 401 is the answer."""
    service, issuer = Service((401, envelope("InvalidAuthenticationToken", "no"))), Issuer()
    with pytest.raises(errors.CredentialError, match="InvalidAuthenticationToken") as caught:
        transport(service, issuer.bearer()).put("x", {})
    assert sent(service) == ["token-1", "token-2"]
    assert caught.value.remedy == "sign in"
    assert "token-" not in str(caught.value)


def test_the_same_token_again_is_not_sent_again():
    """A rotated one would differ."""
    service = Service((401, envelope("Unauthorized", "no")))
    with pytest.raises(errors.CredentialError):
        transport(service, Bearer(lambda: Token("same"))).get("x")
    assert sent(service) == ["same"]


def test_a_token_that_another_thread_renewed_is_used():
    """Four threads that are refused at once sign in once."""
    issuer = Issuer()
    bearer = issuer.bearer()
    old = dict(bearer.headers())
    assert bearer.renew(old)
    assert bearer.renew(old)
    assert issuer.given == 2


@pytest.mark.parametrize("status", [403, 500, 503])
def test_another_refusal_renews_nothing(status):
    """Only a 401 speaks of the token."""
    service, issuer = Service((status, envelope("AuthorizationFailed", "no"))), Issuer()
    with pytest.raises(errors.RetrainError):
        transport(service, issuer.bearer()).post("x")
    assert sent(service) == ["token-1"]


def test_a_missing_role_says_so():
    """A reader's credential: which action, where, and what to ask for."""
    message = "The client 'c' with object id 'o' does not have authorization to perform action 'a/write' over scope 's'"
    service = Service((403, envelope("AuthorizationFailed", message)))
    with pytest.raises(errors.CredentialError, match="'a/write' over scope 's'") as caught:
        transport(service, Issuer().bearer()).put("x", {})
    assert "Contributor" in caught.value.remedy


def test_an_unregistered_provider_says_how_to_register_it():
    """It is no conflict, though ARM answers 409."""
    message = "The subscription is not registered to use namespace 'Microsoft.MachineLearning'."
    service = Service((409, envelope("MissingSubscriptionRegistration", message)))
    with pytest.raises(errors.ServiceError) as caught:
        transport(service, Issuer().bearer()).put("x", {})
    assert not isinstance(caught.value, errors.Conflict)
    assert caught.value.remedy.endswith("az provider register --namespace Microsoft.MachineLearning")


class Credential:
    """One of a chain: gives a token or fails."""

    def __init__(self, outcome: str | Exception) -> None:
        self.outcome = outcome
        self.scopes: list[str] = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def get_token(self, *scopes, **_options):
        self.scopes += scopes
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return AccessToken(self.outcome, 4102444800)


def test_azures_token_is_asked_for_the_service():
    """The audience is Resource Manager."""
    credential = Credential("t")
    token = azure("https://management.azure.com/", lambda: ChainedTokenCredential(credential))()
    assert (token.value, token.expires_at) == ("t", 4102444800.0)
    assert credential.scopes == ["https://management.azure.com/.default"]
    assert "value" not in repr(token)


NOBODY = CredentialUnavailableError("it isn't there")
REFUSED = ClientAuthenticationError(
    "Authentication failed: AADSTS7000222: The provided client secret keys are expired. Trace ID: 1 Correlation ID: 2"
)
UNTRUSTED = ClientAuthenticationError(
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] …'))"
)


@pytest.mark.parametrize(
    ("outcomes", "cause", "remedy"),
    [
        ([NOBODY, NOBODY], "nobody is signed in to Azure", "az login"),
        (
            [REFUSED, NOBODY],
            "Azure refused the sign-in: AADSTS7000222: The provided client secret keys are expired",
            "renew the secret",
        ),
        ([NOBODY, UNTRUSTED], "certificate of the sign-in service is not trusted", "REQUESTS_CA_BUNDLE"),
        (
            [ClientAuthenticationError("odd Bearer abc"), NOBODY],
            "failed: Credential: odd Bearer ***",
            "az login",
        ),
        ([ValueError("no tenant")], "failed: Credential: no tenant", "az login"),
    ],
)
def test_a_failed_sign_in_has_one_cause_and_one_remedy(outcomes, cause, remedy):
    """Azure's own message is twenty lines."""
    if len(outcomes) == 1:
        outcomes = [*outcomes, NOBODY]
    chain = ChainedTokenCredential(*map(Credential, outcomes))
    with pytest.raises(errors.CredentialError) as caught:
        azure("https://management.azure.com", lambda: chain)()
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy
    assert "Trace ID" not in caught.value.cause


ENVIRONMENT = {"RETRAIN_STORAGE_CONNECTION_STRING": "BlobEndpoint=http://b"}


def test_the_environment_signs_in_to_azure_unless_told_otherwise():
    """The default is the public cloud; RETRAIN_ARM_URL names another."""
    assert resolve_target("environment", ENVIRONMENT).arm.base_url == "https://management.azure.com"
    other = resolve_target("environment", ENVIRONMENT | {"RETRAIN_ARM_URL": "https://arm.example"})
    assert other.arm.base_url == "https://arm.example"


def test_the_environment_without_storage_says_what_is_missing():
    """One line names the variable."""
    with pytest.raises(errors.CredentialError, match="RETRAIN_STORAGE_CONNECTION_STRING"):
        resolve_target("environment", {})


def test_classic_services_need_their_address():
    """A team with new web services only does not."""
    with pytest.raises(errors.ConfigurationError, match="no address for classic web services") as caught:
        resolve_target("environment", ENVIRONMENT).studio(WORKSPACE)
    assert "RETRAIN_STUDIO_URL" in caught.value.remedy


def test_a_given_workspace_token_is_used_and_never_replaced():
    """Resource Manager isn't asked."""
    env = ENVIRONMENT | {"RETRAIN_STUDIO_URL": "http://studio", "RETRAIN_WORKSPACE_TOKEN": "given"}
    service = Service((401, envelope("Unauthorized", "no")))
    studio = resolve_target("environment", env).studio(WORKSPACE)
    play(service, "http://studio/")
    with pytest.raises(errors.CredentialError) as caught:
        studio.get("x")
    assert sent(service) == ["given"]
    assert "RETRAIN_WORKSPACE_TOKEN" in caught.value.remedy


@pytest.fixture
def local(tmp_path):
    """The local target with its Resource Manager played."""
    cloud = {
        "studio": "http://studio",
        "blob": "http://b/a",
        "account": "a",
        "accountKey": "k",
        "armToken": "arm",
    }
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps(cloud))
    return resolve_target("local", {"RETRAIN_CLOUD_FILE": str(file)})


def test_a_regenerated_workspace_token_is_fetched_anew(local):
    """Tokens are kept for the process; a 401 shows that one was regenerated."""
    arm = Service((200, {"primaryToken": "first"}), (200, {"primaryToken": "second"}))
    play(arm, "http://studio/subscriptions/")
    service = Service((200, {}), (401, envelope("Unauthorized", "no")), (200, {}))
    studio = local.studio(WORKSPACE)
    play(service, "http://studio/")
    for _ in range(2):
        studio.post("x")
    assert sent(service) == ["first", "first", "second"]
    assert [request.path_url for request in arm.requests] == [
        f"{WORKSPACE}/listWorkspaceKeys?api-version=2019-10-01"
    ] * 2
    assert sent(arm) == ["arm"] * 2


def test_a_workspace_token_that_stays_refused_is_an_error(local):
    """The key was fetched anew, is the same, and isn't tried again."""
    arm = Service((200, {"primaryToken": "first"}))
    play(arm, "http://studio/subscriptions/")
    service = Service((401, envelope("Unauthorized", "no")))
    studio = local.studio(WORKSPACE)
    play(service, "http://studio/")
    with pytest.raises(errors.CredentialError) as caught:
        studio.post("x")
    assert (len(service.requests), len(arm.requests)) == (1, 2)
    assert "./dev cloud start" in caught.value.remedy


def test_azure_identity_is_imported_when_somebody_signs_in():
    """It takes 0.25 s, which a provider for the local cloud never pays."""
    code = "import sys, clients.credentials as c; c.resolve_target('environment'); print('azure.identity' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_what_azure_logs_is_not_printed(monkeypatch, capfd):
    """The chain's own warning is twenty lines; the error says it in one."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    logging.getLogger("azure").handlers.clear()
    with pytest.raises(errors.CredentialError, match="nobody is signed in"):
        azure("https://management.azure.com")()
    assert capfd.readouterr().err == ""
