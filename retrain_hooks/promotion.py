"""The promotion of a trained model: the gate between it and an endpoint.

The champion is what the endpoint serves now. A candidate is judged against the gate's rules, and where they say so
against the champion on the same rows; the verdict is kept in the registry, so that the next preview knows it.

::

    pending ──> passed                       the endpoint serves the candidate
            ├─> awaiting approval            … the champion, until `approve` is the candidate's run key
            ├─> held                         refused with onRejected: hold: the champion stays, the update is green
            └─> GateRefused                  refused with onRejected: fail: the update is red
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clients.errors import BindingFailed, ConfigurationError, GateRefused
from clients.protocols import DEFAULT_ENDPOINT, Services
from retrain_hooks.adoption import Adopted, adopted_model
from retrain_hooks.gate import Evidence, Ruling, Verdict, evaluation, judge
from retrain_hooks.holdout import Holdout, Label
from retrain_hooks.ledger import Ledger
from retrain_hooks.lifecycle import UNKNOWN, Context, Diff, Props, known
from retrain_hooks.live import LiveEndpoint
from retrain_hooks.policy import Policy
from retrain_hooks.run_key import key_of
from retrain_hooks.training_data import TrainingData
from retrain_hooks.verdicts import Case, Found, Model, Verdicts

PASSED, HELD, PENDING, AWAITING = "passed", "held", "pending", "awaiting approval"
_IDENTITY = ("target", "service", "endpointName", "resource")


@dataclass(frozen=True)
class Standing:
    """Whom a candidate is up against: the *champion*, None where there is no other model than the candidate.

    *reigning*: the endpoint serves the candidate already, and this stack let it through.
    """

    champion: Model | None
    reigning: bool


class PromotionLifecycle:
    """Decides which ``model`` (``{"address", "sha256"}``) the endpoint ``endpointName`` is to serve.

    Inputs: ``target``, ``service``, ``endpointName``, ``stagingEndpoint``, ``resource``, ``candidate``
    (``{"address", "sha256", "runKey", "metrics", "dataVersion"}``), ``gate`` (see Policy) and ``holdout`` (``{"digest",
    "blobs", "container", "version"}`` or none). Outputs also: ``champion``, ``verdict``, ``rules`` with their numbers.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._looked_up: dict[str, Adopted | None] = {}

    def check(self, new: Props, old: Props) -> Props:
        """Add ``champion``, ``verdict`` and ``model``, as far as reading tells. Never writes.

        Raises GateRefused for a candidate that is known to fail, ConfigurationError for a gate that is none.
        """
        if not known(new["gate"], (new.get("holdout") or {}).get("digest")):
            return new
        policy = _policy(new)
        if policy.holdout and new.get("stagingEndpoint") in (None, "", new["endpointName"]):
            raise ConfigurationError(
                "a gate with a holdout needs a staging endpoint that is not the live one",
                "give the promotion a stagingEndpoint of its own",
            )
        new = new | {"gate": policy.props()}
        candidate = new["candidate"]
        if not known(candidate["address"], candidate["runKey"], new["target"]):
            return new
        if not known(*(new[name] for name in _IDENTITY)):
            return new | {"champion": UNKNOWN, "verdict": PENDING, "model": _model(candidate)}
        standing = self._standing(new, old)
        found = self._verdicts(new).find(_case(new, policy, standing))
        if found.problem:
            self._context.progress.info(f"{found.problem}: judging anew")
        verdict = self._excused(new) or found.verdict or self._foresee(new, policy, standing)
        return new | self._decision(new, policy, standing, verdict)

    def diff(self, old: Props, new: Props) -> Diff:
        """Another candidate, champion or gate is a change; so is a verdict that was lost while it kept a model back."""
        replaces = tuple(name for name in _IDENTITY if old.get(name) != new.get(name))
        if replaces:
            return Diff(True, replaces)
        changed = (
            any(_address(old, name) != _address(new, name) for name in ("candidate", "champion"))
            or old.get("gate") != new.get("gate")
            or (old.get("holdout") or {}).get("digest") != (new.get("holdout") or {}).get("digest")
            or (new.get("verdict") == PENDING and old.get("verdict") != PASSED)
        )
        return Diff(changed)

    def create(self, new: Props) -> tuple[str, Props]:
        """Judge, keep the verdict, and say which model to serve. Raises GateRefused."""
        return f"{new['service']['id']}/{new['endpointName']}/promotion", self._promote(new, {})

    def update(self, id_: str, old: Props, new: Props) -> Props:
        """Judge, keep the verdict, and say which model to serve. Raises GateRefused."""
        return self._promote(new, old)

    def read(self, id_: str, old: Props) -> tuple[Props, Props] | None:
        """The recorded decision; what the endpoint serves is the binding's to read."""
        return old, {name: value for name, value in old.items() if name != "rules"}

    def delete(self, id_: str, old: Props) -> None:
        """Nothing is deleted: verdicts live in the registry, longer than a stack."""

    def _promote(self, new: Props, old: Props) -> Props:
        policy, standing = _policy(new), self._standing(new, old)
        case, verdicts = _case(new, policy, standing), self._verdicts(new)
        found = verdicts.find(case)
        verdict = (
            self._excused(new) or found.verdict or self._judge(new, policy, standing, case, verdicts, found)
        )
        decision = self._decision(new, policy, standing, verdict)
        self._context.progress.info(_told(new, decision, verdict))
        return new | decision

    def _excused(self, new: Props) -> Verdict | None:
        """A model that was served before the program isn't judged by its gate: it has no evaluation of ours, and going
        back to it must be possible.
        """
        candidate = new["candidate"]
        if self._adopted(new, candidate["address"]) is None:
            return None
        return Verdict((Ruling("adopted", None, None, True, "served before this program: not judged"),))

    def _judge(
        self, new: Props, policy: Policy, standing: Standing, case: Case, verdicts: Verdicts, found: Found
    ) -> Verdict:
        if policy.holdout:
            verdict = self._by_holdout(new, policy, standing)
        else:
            verdict = self._by_evaluation(new, policy, standing)
        self._context.guard.check()
        return verdicts.keep(case, verdict, self._context.clock.now().isoformat(), found)

    def _standing(self, new: Props, old: Props) -> Standing:
        """Who the champion is. *old* are this promotion's last inputs or outputs."""
        bound, candidate = self._bound(new, old), new["candidate"]["address"]
        if bound != candidate:
            return Standing(_named(bound) if bound else None, reigning=False)
        if any(old.get(name) != new[name] for name in _IDENTITY):
            return Standing(None, reigning=True)
        before, chosen, champion = (_address(old, name) for name in ("candidate", "model", "champion"))
        if before == candidate and _policy(old).asked() == _policy(new).asked():
            return Standing(_named(champion) if champion else None, reigning=chosen == candidate)
        if candidate in (chosen, champion):
            return Standing(None, reigning=True)
        # Somebody else bound it: what this stack chose last is what it has to be better than.
        return Standing(_named(chosen) if chosen else None, reigning=False)

    def _bound(self, new: Props, old: Props) -> str:
        """The address of the model that the endpoint serves; one that is not made yet will copy the default's."""
        services, service = self._services(new), new["service"]["id"]
        name = new["endpointName"]
        there = services.endpoint(service, name) is not None
        known = [_address(old, one) for one in ("candidate", "model", "champion")]
        return self._live(new, name if there else DEFAULT_ENDPOINT, *known).serves()

    def _live(self, new: Props, endpoint: str, *addresses: str) -> LiveEndpoint:
        """An endpoint, which may serve the candidate or one of the models at *addresses* from where it was adopted."""
        wanted = dict.fromkeys((new["candidate"]["address"], *addresses))
        adopted = [found for one in wanted if (found := self._adopted(new, one))]
        return LiveEndpoint(
            self._context,
            self._services(new),
            new["service"]["id"],
            endpoint,
            new["resource"],
            self._registry(new),
            adopted=adopted,
        )

    def _adopted(self, new: Props, address: str) -> Adopted | None:
        if address not in self._looked_up:
            self._looked_up[address] = adopted_model(self._registry(new), address) if address else None
        return self._looked_up[address]

    def _foresee(self, new: Props, policy: Policy, standing: Standing) -> Verdict | None:
        """The verdict, where reading is all it takes."""
        if policy.holdout or not known(new["candidate"].get("metrics")):
            return None
        if new["candidate"].get("metrics") is None:
            return None
        return self._by_evaluation(new, policy, standing)

    def _by_evaluation(self, new: Props, policy: Policy, standing: Standing) -> Verdict:
        """Judge by what each training run measured itself."""
        champion = standing.champion
        metrics = self._recorded(new, champion).get("metrics") if champion else None
        return judge(
            policy.gate,
            evaluation(new["candidate"].get("metrics")),
            None if metrics is None else evaluation(metrics),
            reigning=champion is None and standing.reigning,
        )

    def _by_holdout(self, new: Props, policy: Policy, standing: Standing) -> Verdict:
        """Judge by the rows of the holdout, the same for both models."""
        declared, champion = new["holdout"], standing.champion
        data = self._context.data(new["target"], declared.get("container"))
        version = str(declared.get("version") or "of the holdout")
        planned = TrainingData(data, self._registry(new), declared["blobs"], declared["digest"], version)
        holdout = Holdout.read(data, planned.snapshot()["etags"], Label.parse(policy.label))
        compared = champion if policy.gate.needs_champion else None
        # The champion first: where it is not served any more it borrows the staging endpoint.
        best = self._measure(new, holdout, compared.address) if compared else None
        return judge(
            policy.gate,
            self._measure(new, holdout, new["candidate"]["address"]),
            best,
            reigning=champion is None and standing.reigning,
        )

    def _measure(self, new: Props, holdout: Holdout, address: str) -> Evidence:
        """The metrics of the model at *address*, on an endpoint that serves it; the staging endpoint if none does."""
        if holdout.problem:
            return Evidence(problem=holdout.problem)
        live, staging = new["endpointName"], new["stagingEndpoint"]
        serving = [name for name in (live, staging) if self._live(new, name, address).surely_serves(address)]
        endpoint = serving[0] if serving else staging
        if not serving:
            self._live(new, staging, address).write(address)
        self._context.progress.status(
            f"gate: scoring {len(holdout.rows):,} rows of the holdout on {endpoint}"
        )
        scoring = self._services(new).scoring(new["service"]["id"], endpoint)
        evidence = holdout.measure(scoring, self._context.guard)
        if (served := self._live(new, endpoint, address).serves()) != address:
            raise BindingFailed(
                f"the endpoint {endpoint!r} was to be scored with {address} and serves {served or 'nothing'} by now",
                "see who else binds models to it, then run the update again",
            )
        return evidence

    def _decision(self, new: Props, policy: Policy, standing: Standing, verdict: Verdict | None) -> Props:
        """What follows from the verdict: ``champion``, ``verdict``, ``model``, ``rules``."""
        champion, candidate = standing.champion, new["candidate"]
        said: Props = {
            "champion": None if champion is None else {"address": champion.address, "runKey": champion.key}
        }
        if verdict is None:
            return said | {"verdict": PENDING, "model": _model(candidate)}
        said["rules"] = [asdict(ruling) for ruling in verdict.rulings]
        approved = standing.reigning or not policy.approval or policy.approve == candidate["runKey"]
        if verdict.passed and approved:
            return said | {"verdict": PASSED, "model": _model(candidate)}
        if champion is None and not standing.reigning:
            raise _refused(new, verdict, "there is no champion that could go on serving")
        if not verdict.passed and not policy.hold:
            raise _refused(new, verdict, "the endpoint is unchanged")
        if champion is None:
            stays = _model(candidate)
        else:
            stays = {"address": champion.address, "sha256": self._recorded(new, champion).get("sha256", "")}
        return said | {"verdict": AWAITING if verdict.passed else HELD, "model": stays}

    def _recorded(self, new: Props, model: Model) -> Props:
        """What the ledger knows of a finished *model*; empty where it can't be trusted to be this one."""
        run = Ledger(self._registry(new)).at(model.address)
        if run is None or run.state != "finished":
            return {}
        return {"metrics": run.metrics, "sha256": run.sha256}

    def _registry(self, new: Props) -> Any:
        return self._context.registry(new["target"])

    def _verdicts(self, new: Props) -> Verdicts:
        return Verdicts(self._registry(new))

    def _services(self, new: Props) -> Services:
        return self._context.services(new["target"], new["service"])


def _policy(props: Props) -> Policy:
    return Policy.parse(props["gate"], props.get("holdout"))


def _case(new: Props, policy: Policy, standing: Standing) -> Case:
    candidate = new["candidate"]
    sha256 = candidate.get("sha256")
    return Case(
        Model(candidate["address"], candidate["runKey"]),
        standing.champion,
        policy.asked(),
        sha256 if isinstance(sha256, str) and sha256 else None,
    )


def _named(address: str) -> Model:
    """The model at *address*, with its run's key where the address is the ledger's."""
    return Model(address, key_of(address))


def _address(props: Props, name: str) -> str:
    return str((props.get(name) or {}).get("address") or "")


def _model(candidate: Mapping[str, Any]) -> Props:
    return {"address": candidate["address"], "sha256": candidate.get("sha256", UNKNOWN)}


def _who(new: Props) -> str:
    candidate = new["candidate"]
    version = candidate.get("dataVersion")
    return f"run {candidate['runKey'][:12]}" + (
        f" (data version {version})" if isinstance(version, str) else ""
    )


def _refused(new: Props, verdict: Verdict, consequence: str) -> GateRefused:
    return GateRefused(
        f"the gate refuses {_who(new)}: {verdict.reason}; {consequence}",
        "declare other data, another experiment or another rule; with gateOnRejected: hold the champion stays and the "
        "update goes on",
    )


def _told(new: Props, decision: Props, verdict: Verdict) -> str:
    """One line for a person."""
    after = {
        PASSED: "passed",
        HELD: "is held, the champion stays",
        AWAITING: f"passed and waits: set `approve` to {new['candidate']['runKey']}",
    }[decision["verdict"]]
    return f"gate: {_who(new)} {after}: {verdict.reason}"
