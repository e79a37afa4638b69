"""What is kept of data, in memory and in a checkout, has bounds."""

from __future__ import annotations

import os

from retrain_hooks.data import hashes
from retrain_hooks.host import parts


def test_of_very_many_kept_hashes_the_older_half_is_forgotten(monkeypatch, tmp_path):
    """A checkout in which other data comes every day does not fill up."""
    monkeypatch.setattr(hashes, "FOLDER", tmp_path)
    monkeypatch.setattr(hashes, "MOST", 9)
    known = [(f"https://a/{number}", "etag", hashes.LARGE) for number in range(10)]
    for at, blob in enumerate(known):
        hashes.keep(*blob, ("A" * 22 + "==", "0" * 64))
        if at < 9:  # one that is as old as its number says
            os.utime(hashes._file(*blob[:2]), (at, at))
    assert [hashes.find(*blob) is not None for blob in known] == [False] * 5 + [True] * 5


def test_what_is_kept_of_parts_has_a_bound(monkeypatch):
    """More is read again, and each is given once."""
    monkeypatch.setattr(parts, "_MOST_BYTES", 5)
    kept = parts.Parts()
    for name in "abc":
        assert list(kept.keeping((name, "1"), 2, iter([b"x", b"y"]))) == [b"xy"]
    assert list(kept.keeping(("d", "1"), 2**21, iter([b"x", b"y"]))) == [b"x", b"y"]
    assert [kept.take((name, "1")) for name in "aabcd"] == [b"xy", None, b"xy", None, None]
