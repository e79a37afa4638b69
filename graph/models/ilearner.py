"""`.ilearner`: a trained model as data.

A zip with exactly two entries, stored, with fixed times: `manifest.json` (what the model was trained on and what
it gives) and its arithmetic, `model.onnx` or, in a form that the manifest names, `model.arrays`. Equal training gives equal
bytes. Nothing in it is code: reading one parses JSON and checks a graph or arrays of a known form; anything else is refused.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from graph.data.datasets import TASK_ANOMALY, TASK_BINARY, TASK_CLUSTERING, TASK_MULTICLASS, TASK_REGRESSION
from graph.errors import InvalidModel
from graph.libraries import Array, Numbers, Table
from graph.models import answers, forms
from graph.models.answers import link
from graph.models.features import ONE_HOT, ORDINAL, Feature, encode, width
from graph.steps import Asked, Step, asked, fits, read, written

if TYPE_CHECKING:
    import zipfile


FORMAT: Final = "ilearner"
VERSION: Final = 1
MANIFEST, MODEL, ARRAYS = "manifest.json", "model.onnx", "model.arrays"
LIMITS: Final = {MANIFEST: 16 * 2**20, MODEL: 256 * 2**20, ARRAYS: 256 * 2**20}
EPOCH: Final = (1980, 1, 1, 0, 0, 0)

_HEADER: Final = struct.Struct("<4s5H3I2H")  # of a zip's entry: the file begins with that of the manifest

TYPES: Final = ("Boolean", "Int32", "Int64", "Double", "String")


@dataclass(frozen=True)
class Label:
    """The label column: name, .NET type and classes, of two the second being the positive one.

    Empty where the task needs none: then a row has no right answer.
    """

    name: str
    type: str
    classes: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained model: all that scoring needs. `example` is one training row's features, for documentation."""

    learner: str
    task: str
    link: str
    encoding: str
    unknown_levels: bool
    label: Label
    features: tuple[Feature, ...]
    example: dict[str, Any]
    arithmetic: bytes
    form: str = forms.ONNX
    scores: tuple[str, ...] = ()
    """The columns of scores that neither the task nor the label's classes tell: quantiles, distances to centres."""
    steps: tuple[Step, ...] = ()
    """What its data went through that was learnt from it; in the manifest where there is some."""

    @cached_property
    def _loaded(self) -> forms.Arithmetic:
        several = len(self.label.classes) if self.task == TASK_MULTICLASS else len(self.scores)
        return forms.load(self.form, self.arithmetic, width(self.features, self.encoding), several or 1)

    @cached_property
    def outputs(self) -> list[tuple[str, str]]:
        """The columns scoring adds, with their .NET types."""
        return answers.columns(self.task, self.label.type, self.label.classes, self.scores)

    @cached_property
    def asks(self) -> dict[str, Asked]:
        """The columns of a row to score: the features, or what its steps make them of; the label is none."""
        features = {f.name: Asked(f.type, self.example[f.name]) for f in self.features}
        columns = asked(self.steps, features)
        return {name: column for name, column in columns.items() if name != self.label.name}

    def numbered(self, number: int) -> tuple[Step, ...]:
        """The fitted step of that number, the first being 1; all of them for 0."""
        return self.steps[number - 1 : number] if number else self.steps

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Whether each of these columns is numeric or categorical."""
        known = {feature.name: feature.kind for feature in self.features}
        told = {
            name: "categorical" if column.type == "String" else "numeric"
            for name, column in self.asks.items()
        }
        return {name: known.get(name, kind) for name, kind in told.items()}

    def score(self, frame: Table) -> Numbers:
        """What each row gets: a value or a probability, or several."""
        matrix = encode(frame, self.features, self.encoding, self.unknown_levels)
        return link(self.raw(matrix), self.link)

    def scored(self, frame: Table) -> dict[str, Array]:
        """The columns that scoring adds, by name in the order of `outputs`."""
        return self.answer(self.score(frame))

    def answer(self, values: Numbers) -> dict[str, Array]:
        """As `scored`, from what `score` gives."""
        return answers.answer(values, self.task, self.label.type, self.label.classes, self.scores)

    def raw(self, matrix: Numbers) -> Numbers:
        """The raw score, or scores, of each row of an encoded matrix."""
        return self._loaded(matrix)

    def prepare(self) -> TrainedModel:
        """The same model, with its arithmetic checked and ready."""
        _ = self._loaded
        return self

    def to_bytes(self) -> bytes:
        """The `.ilearner` file."""
        import zipfile

        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "learner": self.learner,
            "task": self.task,
            "link": self.link,
            "encoding": self.encoding,
            "unknownLevels": self.unknown_levels,
            "label": {"name": self.label.name, "type": self.label.type, "classes": list(self.label.classes)},
            "features": [
                {"name": f.name, "type": f.type, "kind": f.kind, "levels": list(f.levels)}
                for f in self.features
            ],
            "outputs": [{"name": name, "type": kind} for name, kind in self.outputs],
            "example": self.example,
        }
        if self.form != forms.ONNX:
            manifest |= {"form": self.form, "scores": list(self.scores)}
        if steps := written(self.steps):
            manifest["steps"] = steps
        text = json.dumps(manifest, ensure_ascii=False, allow_nan=False, indent=1)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, data in ((MANIFEST, text.encode()), (_entry_of(self.form), self.arithmetic)):
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.create_system = 3
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, data)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainedModel:
        """Read an `.ilearner` file; raises InvalidModel with the reason for anything else."""
        entries = _entries(data)
        try:
            manifest = json.loads(entries[MANIFEST].decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise InvalidModel("manifest.json is not JSON") from None
        model = _from_manifest(manifest, entries[ARRAYS if ARRAYS in entries else MODEL])
        if _entry_of(model.form) not in entries:
            raise InvalidModel(f"the model's form is {model.form}, which is not that of its other entry")
        return model.prepare()


def model_schema(data: bytes) -> dict[str, Any]:
    """What two models must have in common for one to take the other's place.

    Names and kinds of the columns that a row to score has and of the label, the task, and the columns scoring adds; not
    the learner, not the levels, not the numeric types, which change with the data. Raises InvalidModel.
    """
    model = TrainedModel.from_bytes(data)
    return {
        "task": model.task,
        "label": model.label.name,
        "features": [{"name": name, "kind": kind} for name, kind in sorted(model.kinds.items())],
        "outputs": [{"name": name, "type": kind} for name, kind in model.outputs],
    }


def described(start: bytes) -> TrainedModel | None:
    """What an `.ilearner` says of itself, by the *start* of the file that holds its manifest; its arithmetic is not read.

    None for what is none, or where the manifest goes on beyond *start*. Needs no library.
    """
    if len(start) < _HEADER.size:
        return None
    magic, _version, _flags, packed, _time, _date, _crc, size, _full, name, extra = _HEADER.unpack_from(start)
    begin = _HEADER.size + name + extra
    if magic != b"PK\x03\x04" or packed or start[_HEADER.size : _HEADER.size + name] != MANIFEST.encode():
        return None
    try:
        return _from_manifest(
            json.loads(start[begin : begin + size].decode(), parse_constant=_no_constant), b""
        )
    except (InvalidModel, ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _entries(data: bytes) -> dict[str, bytes]:
    import zipfile
    import zlib

    if len(data) > LIMITS[MANIFEST] + LIMITS[MODEL]:
        raise InvalidModel("the file is larger than any .ilearner")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if names not in ([MANIFEST, MODEL], [MANIFEST, ARRAYS]):
                raise InvalidModel(f"an .ilearner has exactly the entries {MANIFEST} and {MODEL} or {ARRAYS}")
            return {info.filename: _entry(archive, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, zlib.error, EOFError):
        raise InvalidModel(
            "the file is not an .ilearner (a zip of manifest and model), or it is damaged"
        ) from None


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    import zipfile

    limit = LIMITS[info.filename]
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidModel(f"{info.filename} is encrypted or packed in a way an .ilearner is not")
    if info.file_size > limit:
        raise InvalidModel(f"{info.filename} is larger than {limit // 2**20} MiB")
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidModel(f"{info.filename} is larger than {limit // 2**20} MiB")
    return data


def _entry_of(form: str) -> str:
    return MODEL if form == forms.ONNX else ARRAYS


_CLASSES: Final = {
    TASK_BINARY: range(2, 3),
    TASK_MULTICLASS: range(2, 10_001),
    TASK_REGRESSION: range(1),
    TASK_CLUSTERING: range(1),
    TASK_ANOMALY: range(2, 3),
}
"""How many classes a label has."""

_MEMBERS: Final = {
    **{"learner": str, "task": str, "link": str, "encoding": str, "unknownLevels": bool},
    **{"form": str, "scores": [str]},
    "label": {"name": str, "type": str, "classes": [(str, int, float, bool)]},
    "features": [{"name": str, "type": str, "kind": str, "levels": [str]}],
    "example": {"*": (str, int, float, bool, None)},
}
"""The form of the manifest's members that are read; see `graph.steps.fits`."""


def _from_manifest(manifest: Any, arithmetic: bytes) -> TrainedModel:
    """Every member has the type and values that scoring relies on."""

    def expect(holds: bool, what: str) -> None:
        if not holds:
            raise InvalidModel(f"manifest.json: {what}")

    expect(isinstance(manifest, dict) and manifest.get("format") == FORMAT, "it is not that of an .ilearner")
    expect(manifest.get("version") == VERSION, f"format version {manifest.get('version')!r} is not known")
    given = {"form": forms.ONNX, "scores": [], **manifest}
    for member, form in _MEMBERS.items():
        expect(member in given and fits(given[member], form), f"{member} is not valid")
    task, scores, example = given["task"], given["scores"], given["example"]
    expect(given["link"] in answers.LINKS.get(task, ()), "link and task do not agree")
    expect(given["form"] in forms.known(), "the form is not known")
    expect(given["encoding"] in (ORDINAL, ONE_HOT), "the encoding is not known")
    several = task == TASK_CLUSTERING or (task == TASK_REGRESSION and bool(scores))
    expect(all(scores) and _once(scores) and bool(scores) == several and len(scores) <= 10_000, "the scores")
    label = Label(given["label"]["name"], given["label"]["type"], tuple(given["label"]["classes"]))
    expect(label.type in TYPES and len(label.classes) in _CLASSES[task], "the label")
    expect(all(_is_of(value, label.type) for value in label.classes), "the label's classes")
    features = tuple(
        Feature(one["name"], one["type"], one["kind"], tuple(one["levels"])) for one in given["features"]
    )
    names = [feature.name for feature in features]
    expect(0 < len(names) <= 100_000 and _once(names), "there are no features, or two have one name")
    expect(all(map(_is_feature, features)), "a feature is not valid")
    expect(list(example) == names, "the example row does not fit the features")
    about = (
        given["learner"],
        task,
        given["link"],
        given["encoding"],
        given["unknownLevels"],
        label,
        features,
    )
    steps = read(given.get("steps", []))
    return TrainedModel(*about, example, arithmetic, given["form"], tuple(scores), steps)


def _once(names: Sequence[str]) -> bool:
    return len(set(names)) == len(names)


def _is_feature(one: Feature) -> bool:
    kinds = ("categorical",) if one.levels else ("numeric", "categorical")
    return one.type in TYPES and one.kind in kinds and _once(one.levels)


def _is_of(value: Any, type_name: str) -> bool:
    match type_name:
        case "Boolean":
            return isinstance(value, bool)
        case "Int32" | "Int64":
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        case "Double":
            return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)
        case _:
            return isinstance(value, str)
