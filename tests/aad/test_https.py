"""The certificates: trusted by their authority's file alone, for loopback alone, renewed before they expire."""

from __future__ import annotations

import ipaddress
import json
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509

from localcloud.server.tls import Tls
from tests.waiting import own_port

ROOT = Path(__file__).parents[2]


class Later:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_only_who_knows_the_authority_trusts_the_door(door):
    """The public authorities don't vouch for it."""
    url = f"{door.https}/common/discovery/instance"
    assert requests.get(url, verify=door.ca, timeout=30).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(url, timeout=30)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_certificate_is_good_for_both_names_of_loopback(door, host):
    """SDKs use one or the other."""
    url = f"{door.https.replace('127.0.0.1', host)}/common/discovery/instance"
    assert requests.get(url, verify=door.ca, timeout=30).status_code == 200


def test_the_authority_can_vouch_for_loopback_only(tmp_path):
    """A stolen key is of no use against any other site."""
    Tls(tmp_path / "ca.pem")
    constraints = certificate(tmp_path / "ca.pem").extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = {str(one.value) for one in constraints.value.permitted_subtrees or []}
    assert permitted == {"localhost", "127.0.0.0/8", "::1/128"}
    assert ipaddress.ip_address("127.0.0.1") in ipaddress.ip_network("127.0.0.0/8")


def test_private_keys_are_for_their_user_alone(tmp_path):
    """Mode 0600 in a folder of mode 0700."""
    Tls(tmp_path / "tls" / "ca.pem")
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()} == {
        "ca.pem": 0o600,
        "ca.key": 0o600,
        "server.pem": 0o600,
    }


def test_certificates_outlive_a_restart(tmp_path):
    """What clients trust stays the same."""
    Tls(tmp_path / "ca.pem")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    tls = Tls(tmp_path / "ca.pem")
    assert not tls.renew()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_certificate_about_to_expire_is_renewed_by_the_same_authority(tmp_path):
    """A month before its end; new connections get the new one."""
    clock = Later()
    tls = Tls(tmp_path / "ca.pem", clock)
    authority, old = (tmp_path / "ca.pem").read_bytes(), certificate(tmp_path / "server.pem")
    clock.now += timedelta(days=59)
    assert not tls.renew()
    clock.now += timedelta(days=2)
    assert tls.renew()
    new = certificate(tmp_path / "server.pem")
    assert new.not_valid_after_utc - old.not_valid_after_utc > timedelta(days=60)
    assert (tmp_path / "ca.pem").read_bytes() == authority


def test_an_expiring_authority_is_replaced_with_what_it_signed(tmp_path):
    """After ten years."""
    clock = Later()
    Tls(tmp_path / "ca.pem", clock)
    old = certificate(tmp_path / "ca.pem")
    clock.now += timedelta(days=3640)
    Tls(tmp_path / "ca.pem", clock)
    new = certificate(tmp_path / "ca.pem")
    assert new.subject != old.subject
    certificate(tmp_path / "server.pem").verify_directly_issued_by(new)


@pytest.mark.parametrize("name", ["ca.pem", "ca.key", "server.pem"])
def test_a_lost_file_is_made_again(tmp_path, name):
    """What is left is used where it goes together."""
    Tls(tmp_path / "ca.pem")
    (tmp_path / name).unlink()
    Tls(tmp_path / "ca.pem")
    certificate(tmp_path / "server.pem").verify_directly_issued_by(certificate(tmp_path / "ca.pem"))


def test_a_running_server_shows_the_renewed_certificate(door, tmp_path):
    """No restart is needed."""
    port = int(door.https.rpartition(":")[2])
    before = ssl.get_server_certificate(("127.0.0.1", port), ca_certs=door.ca)
    (tmp_path / "tls" / "server.pem").unlink()
    assert door.tls.renew()
    after = ssl.get_server_certificate(("127.0.0.1", port), ca_certs=door.ca)
    assert before != after


def start(tmp_path: Path, *options: str, **changes: object) -> subprocess.CompletedProcess[str]:
    """A studio that cannot start."""
    cloud = {
        "blob": "http://127.0.0.1:1/a",
        "azurite": "http://127.0.0.1:2/a",
        "account": "a",
        "accountKey": "a2V5",
    }
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps(cloud | {"armToken": "t", "subscription": "s"} | changes))
    ports = ["--port", str(own_port()), "--blob-port", str(own_port())]
    command = [
        sys.executable,
        "-m",
        "localcloud",
        "--cloud-file",
        str(file),
        "--data-dir",
        str(tmp_path / "data"),
    ]
    return subprocess.run(
        [*command, *ports, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_studio_without_an_authority_does_not_start(tmp_path):
    """One line of cause, one of remedy."""
    done = start(tmp_path, "--https-port", str(own_port()))
    assert done.returncode == 2
    assert "names no certificate authority" in done.stderr
    assert "remedy: start the local cloud again" in done.stderr


def test_a_certificate_that_cannot_be_read_is_an_error(tmp_path):
    """It is not overwritten: somebody may trust it."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nhalf")
    (tmp_path / "tls" / "ca.key").write_text("none")
    done = start(tmp_path, "--https-port", str(own_port()), caFile=str(tmp_path / "tls" / "ca.pem"))
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "tls" / "ca.pem").read_text().endswith("half")


def test_a_cloud_file_with_half_a_principal_is_an_error(tmp_path):
    """Nobody is signed in by an empty secret."""
    done = start(tmp_path, owner={"clientId": "c"})
    assert done.returncode == 2
    assert "wrong entry for signing in" in done.stderr
