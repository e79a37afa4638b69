"""What is mirrored to a tracking server, once, whatever cuts it off; by MLflow's own client."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.errors import CliError
from cli.mirroring.server import Server
from tests.mirroring.world import World, a_server, key, seen


def test_runs_verdicts_models_and_what_is_bound_are_there(world: World, server: Server) -> None:
    """Each with what it was made from, how it was measured and judged, and as a version of a model."""
    first, second = world.trained(1), world.trained(2)
    failed = world.trained(3, state="failed", sha256="", metrics={}, error="the job\nfailed")
    world.judged(second)
    world.bound(second)
    done = world.mirror(server)
    assert (done.runs, done.models, done.aliases, done.notes) == (3, 2, 2, [])
    there = seen(server)
    name, status, params, metrics, tags = there["runs"][f"flights/{second.key[:7]}"]
    assert (name, status) == (f"2013-02 {second.key[:7]}", "FINISHED")
    assert params == {
        "data_version": "2013-02",
        "data_digest": "2-d1",
        "code_digest": "c0de",
        "task": "two-class",
        "rows": "100",
        "seed": "0",
        "parameter.Learning rate": "0.1",
    }
    assert metrics == {"auc": [(1, 0.72)], "number_of_examples": [(1, 100.0)]}
    assert tags["retrain.verdict"] == "passed"
    assert tags["retrain.rules"] == "auc >= 0.65"
    _name, status, params, metrics, tags = there["runs"][f"flights/{failed.key[:7]}"]
    assert (status, metrics, tags["retrain.error"]) == ("FAILED", {}, "the job failed")
    _tags, aliases, versions = there["models"]["flights"]
    assert [tags["retrain.key"] for _version, tags in versions] == [first.key, second.key]
    assert aliases == {"champion": versions[1][0], "champion-dev-live": versions[1][0]}


def test_a_version_is_the_models_bytes(world: World, server: Server, tmp_path: Path) -> None:
    """Whoever asks the server for the champion gets them."""
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts

    world.bound(world.trained(1))
    world.mirror(server)
    version = MlflowClient(server.uri, server.uri).get_model_version_by_alias("flights", "champion")
    place = Path(download_artifacts(version.source, dst_path=str(tmp_path)))
    assert [file.read_bytes() for file in place.iterdir()] == [b"model of 1"]


def test_the_second_time_nothing_is_written(world: World, server: Server) -> None:
    """Neither by the same process nor by another."""
    world.bound(world.trained(1))
    world.judged(world.trained(2))
    world.mirror(server)
    before = seen(server)
    again = Server.at(server.uri)
    assert world.mirror(again).notes == []
    assert again.writes == 0
    assert seen(server) == before


def test_a_changed_binding_moves_its_alias_and_nothing_else(world: World, server: Server) -> None:
    """One write an alias."""
    first, second = world.trained(1), world.trained(2)
    world.bound(first)
    world.mirror(server)
    world.bound(second)
    again = Server.at(server.uri)
    done = world.mirror(again)
    assert (done.runs, done.models, done.aliases, again.writes) == (0, 0, 2, 2)
    assert set(seen(server)["models"]["flights"][1].values()) == {"2"}


def test_endpoints_that_serve_different_models_have_each_its_alias(world: World, server: Server) -> None:
    """And there is no champion of all until they agree again."""
    first, second = world.trained(1), world.trained(2)
    world.bound(first)
    world.bound(second, "sold", "prod")
    world.mirror(server)
    assert seen(server)["models"]["flights"][1] == {"champion-dev-live": "1", "champion-prod-sold": "2"}
    world.bound(second)
    world.mirror(server)
    assert "champion" in seen(server)["models"]["flights"][1]


@pytest.mark.parametrize("lost", ["call", "answer"])
def test_what_is_cut_off_is_completed_by_the_next(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """After any number of writes, done or not: the same is there at the end as if nothing had happened, and once."""
    world.bound(world.trained(1))
    whole = a_server(tmp_path / "whole")
    world.mirror(whole)
    wanted = seen(whole)
    write = Server._write
    for most in range(whole.writes):
        server = a_server(tmp_path / f"cut{most}")

        def cut(self: Server, call, most: int = most):
            if self.writes >= most and lost == "call":
                raise CliError("cut off", "mirror again")
            found = write(self, call)
            if self.writes > most:
                raise CliError("cut off", "mirror again")
            return found

        with monkeypatch.context() as patched:
            patched.setattr(Server, "_write", cut)
            with pytest.raises(CliError, match="cut off"):
                world.mirror(server)
        world.mirror(Server.at(server.uri))
        if lost == "answer":  # a model whose file was sent twice is one file
            again = Server.at(server.uri)
            world.mirror(again)
            assert again.writes == 0
        assert seen(server) == wanted


def test_a_run_that_goes_on_is_brought_up_to_date(world: World, server: Server) -> None:
    """Running, failed, trained again: one run there, with the metrics of each attempt, and no error of one before."""
    run = world.trained(1, state="submitted", ended_at="", sha256="", metrics={})
    world.mirror(server)
    place = f"flights/{run.key[:7]}"
    assert seen(server)["runs"][place][1] == "RUNNING"
    world.record(replace(run, state="failed", error="no memory", ended_at=run.started_at))
    world.mirror(server)
    assert seen(server)["runs"][place][1] == "FAILED"
    world.trained(1, attempt=2)
    world.mirror(server)
    _name, status, _params, metrics, tags = seen(server)["runs"][place]
    assert (status, metrics["auc"]) == ("FINISHED", [(2, 0.71)])
    assert "retrain.error" not in tags


def test_what_is_pruned_here_stays_there(world: World, server: Server) -> None:
    """It only says so."""
    run = world.trained(1)
    world.mirror(server)
    world.registry.delete(run.address)
    world.record(replace(run, state="retired"))
    world.mirror(server)
    there = seen(server)
    assert there["runs"][f"flights/{run.key[:7]}"][4]["retrain.state"] == "retired"
    assert [version for version, _tags in there["models"]["flights"][2]] == ["1"]


def test_what_others_did_there_stays(world: World, server: Server) -> None:
    """Their alias of the same name, and a run that they deleted."""
    from mlflow import MlflowClient

    first, second = world.trained(1), world.trained(2)
    world.mirror(server)
    client = MlflowClient(server.uri, server.uri)
    client.set_registered_model_alias("flights", "champion", "1")
    gone = next(
        run.info.run_id
        for run in client.search_runs([client.get_experiment_by_name("flights").experiment_id])
        if run.data.tags["retrain.key"] == first.key
    )
    client.delete_run(gone)
    world.bound(second)
    notes = world.mirror(server).notes
    assert any("alias champion there is another's" in note for note in notes)
    assert any(f"run {first.key[:7]} was deleted there" in note for note in notes)
    assert seen(server)["models"]["flights"][1] == {"champion": "1", "champion-dev-live": "2"}


def test_an_endpoint_that_is_gone_takes_its_alias_along(world: World, server: Server) -> None:
    """Nobody is told that it still serves."""
    world.bound(world.trained(1))
    world.mirror(server)
    for name in [name for name in world.registry.blobs if name.startswith("bound/")]:
        world.registry.delete(name)
    world.mirror(server)
    tags, aliases, _versions = seen(server)["models"]["flights"]
    assert (aliases, list(tags)) == ({}, ["retrain.registry"])


def test_of_two_that_mirrored_one_run_at_once_one_stays(world: World, server: Server) -> None:
    """Each made it before the other's was there to be found."""
    from cli.mirroring.facts import facts_of

    world.trained(1)
    facts = facts_of(world.registry)
    for _each in range(2):
        server.create_run(server.experiment("flights"), facts.runs[0], facts.registry)
    world.mirror(server)
    assert len(seen(server)["runs"]) == 1


def test_two_registries_and_two_prefixes_keep_apart(world: World, server: Server) -> None:
    """Equal runs of another registry are others; a prefix makes other experiments and models."""
    world.trained(1)
    world.mirror(server)
    other = World()
    other.registry = type(other.registry)("elsewhere")
    other.ledger = type(other.ledger)(other.registry)
    other.trained(1)
    done = other.mirror(server, "team-")
    assert (done.runs, done.models) == (1, 1)
    assert set(seen(server)["models"]) == {"flights", "team-flights"}


def test_damaged_records_and_models_are_told_and_the_rest_goes_on(world: World, server: Server) -> None:
    """A record that is no record; a model that is another's bytes, or gone."""
    world.trained(1)
    odd, gone = world.trained(2), world.trained(3)
    world.registry.put(odd.address, b"something else")
    world.registry.delete(gone.address)
    world.registry.put(f"runs/{key(9)}.json", b"{")
    notes = world.mirror(server).notes
    assert len(notes) == 3
    assert all(any(one[:7] in note for note in notes) for one in (odd.key, gone.key, key(9)))
    assert len(seen(server)["models"]["flights"][2]) == 1


def test_odd_names_and_long_texts_are_taken(world: World, server: Server) -> None:
    """MLflow takes fewer characters in a name than the ledger, and shorter texts."""
    run = world.trained(1, metrics={"auc": 0.5, "a;b": 1.0, "text": "x"}, error="e" * 20_000)
    world.record(replace(run, inputs={**run.inputs, "parameters": {"<i>": "v" * 9000}}))
    assert world.mirror(server).runs == 1
    _name, _status, params, metrics, tags = seen(server)["runs"][f"flights/{run.key[:7]}"]
    assert set(metrics) == {"auc", "a_b"}
    assert len(params["parameter._i_"]) == 500
    assert len(tags["retrain.error"]) == 5000
