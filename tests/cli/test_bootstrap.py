"""What of pip's settings reaches uv."""

from __future__ import annotations

from pathlib import Path

from cli.bootstrap import uv_environment

PIP = {
    "index-url": "https://index.test/simple",
    "extra-index-url": "https://a.test\nhttps://b.test",
    "cert": "/ca.pem",
}


def test_pips_index_and_certificate_are_passed_on() -> None:
    """uv doesn't read pip's files, so it gets index, further indexes and certificate by environment."""
    env = uv_environment(PIP, {"PATH": "/bin"})
    assert env == {
        "PATH": "/bin",
        "UV_DEFAULT_INDEX": "https://index.test/simple",
        "UV_INDEX": "https://a.test https://b.test",
        "SSL_CERT_FILE": "/ca.pem",
    }


def test_uvs_own_settings_win() -> None:
    """What the machine says to uv itself, in its old or new names, isn't overruled by what it says to pip."""
    own = {"UV_INDEX_URL": "https://own.test", "UV_INDEX": "https://more.test", "SSL_CERT_FILE": "/own.pem"}
    assert uv_environment(PIP, own) == own


def test_folders_of_wheels_that_do_not_exist_are_left_out(tmp_path: Path) -> None:
    """pip only warns of a missing folder, uv would stop."""
    env = uv_environment({"find-links": f"{tmp_path} /not/there https://links.test"}, {})
    assert env == {"UV_FIND_LINKS": f"{tmp_path},https://links.test"}


def test_without_settings_nothing_is_added() -> None:
    """A machine without pip settings gets uv's defaults."""
    assert uv_environment({}, {"HOME": "/home/me"}) == {"HOME": "/home/me"}
