"""The pictures of a report, by matplotlib, as SVG that takes the page's colours and says what it shows."""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from reports.facts import RunFacts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _FIRST, _SECOND, _THIRD = "#010203", "#0b62c4", "#c2410c", "#15803d"
_COLOURS: Final = {
    _INK: "currentColor",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
    _THIRD: "var(--third)",
}
_MARKS: Final = ("o", "s", "^", "D", "v", "P")
_LINES: Final = ((_FIRST, "-", "o"), (_SECOND, "--", "s"), (_THIRD, ":", "^"))
_MOST = 400  # points of a line: a curve of a million rows is drawn as well by so many
_BINS = 10
_WIDE: Final = (4.6, 2.4)  # inches: two beside each other on a screen, one on a telephone
_SQUARE: Final = (3.5, 3.2)
_NAMED = 5  # runs below a plot


def over_versions(runs: Sequence[RunFacts], metric: str, limits: Sequence[float], serving: str) -> str:
    """A metric over the runs in their order, with the gate's limits; the run that serves is marked."""
    told = [run for run in runs if isinstance(run.metrics.get(metric), int | float)]
    figure, axes = _axes(*_WIDE)
    values = [run.metrics[metric] for run in told]
    axes.plot(range(len(told)), values, color=_FIRST, marker="o" if len(told) <= _MOST else "", markersize=4)
    for limit in limits:
        axes.axhline(limit, color=_SECOND, linestyle="--", linewidth=1)
    for at, run in enumerate(told):
        if run.key == serving:
            axes.plot([at], [run.metrics[metric]], marker="D", markersize=9, color=_THIRD)
    _name_runs(axes, told)
    last = f"{told[-1].metrics[metric]:.4g} of {_label(told[-1])}" if told else "none"
    gate = f"; the gate's limits: {', '.join(f'{limit:g}' for limit in limits)}" if limits else ""
    return _svg(figure, f"{metric} of {len(told)} runs, the last {last}{gate}")


def over_members(runs: Sequence[RunFacts], metric: str, limits: Sequence[float]) -> str:
    """How a metric lies among a fleet's members, with the gate's limits."""
    values = sorted(run.metrics[metric] for run in runs if isinstance(run.metrics.get(metric), int | float))
    figure, axes = _axes(*_WIDE)
    axes.hist(values, bins=min(30, max(5, len(values) // 3)), color=_FIRST)
    for limit in limits:
        axes.axvline(limit, color=_SECOND, linestyle="--", linewidth=1)
    axes.set_xlabel(metric)
    axes.set_ylabel("members")
    span = (
        f"from {values[0]:.4g} to {values[-1]:.4g}, median {values[len(values) // 2]:.4g}"
        if values
        else "none"
    )
    return _svg(figure, f"{metric} of {len(values)} members, {span}")


def durations(runs: Sequence[RunFacts]) -> str:
    """How long each run took."""
    told = [run for run in runs if run.seconds is not None]
    figure, axes = _axes(*_WIDE)
    axes.plot(
        range(len(told)),
        [run.seconds or 0 for run in told],
        color=_FIRST,
        marker="o" if len(told) <= _MOST else "",
        markersize=3,
    )
    _name_runs(axes, told)
    axes.set_ylabel("seconds")
    return _svg(figure, f"seconds that {len(told)} runs took")


def curves(
    outcomes: Mapping[str, Any], names: Mapping[str, str], *, probabilities: bool = True
) -> list[tuple[str, str]]:
    """Of two classes: ROC, precision against recall, and calibration, where scores are *probabilities*, of all models."""
    from sklearn import metrics as sk
    from sklearn.calibration import calibration_curve

    told = {
        key: one
        for key, one in outcomes.items()
        if one.scores is not None and len(set(one.actual.tolist())) == 2
    }
    if not told:
        return []
    roc, roc_axes = _axes(*_SQUARE)
    pr, pr_axes = _axes(*_SQUARE)
    calibration, calibration_axes = _axes(*_SQUARE)
    said: list[list[str]] = [[], [], []]
    for (key, one), (colour, line, mark) in zip(told.items(), _LINES, strict=False):
        style: dict[str, Any] = {"color": colour, "linestyle": line, "label": names[key]}
        false, true, _ = sk.roc_curve(one.actual, one.scores)
        roc_axes.plot(*_thinned(false, true), **style)
        precision, recall, _ = sk.precision_recall_curve(one.actual, one.scores)
        pr_axes.plot(*_thinned(recall, precision), **style)
        if probabilities:
            happened, expected = calibration_curve(one.actual, one.scores, n_bins=_BINS)
            calibration_axes.plot(expected, happened, marker=mark, markersize=4, **style)
            said[2].append(f"{names[key]}: Brier score {sk.brier_score_loss(one.actual, one.scores):.4f}")
        said[0].append(f"{names[key]}: area {sk.roc_auc_score(one.actual, one.scores):.4f}")
        said[1].append(
            f"{names[key]}: average precision {sk.average_precision_score(one.actual, one.scores):.4f}"
        )
    for axes in (roc_axes, calibration_axes):
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.5, linestyle=":")
    parts = (
        ("ROC curve", roc, roc_axes, ("false positive rate", "true positive rate")),
        ("Precision and recall", pr, pr_axes, ("recall", "precision")),
        (
            "Calibration",
            calibration,
            calibration_axes,
            ("probability that the model gives", "share that was positive"),
        ),
    )
    drawn = []
    for (title, figure, axes, (x, y)), text in zip(parts[: 3 if probabilities else 2], said, strict=False):
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        _legend(axes)
        drawn.append((title, _svg(figure, f"{title}. {'; '.join(text)}")))
    return drawn


def anomalies(outcomes: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """How anomalies and other rows are scored, by each model."""
    drawn = []
    for key, one in outcomes.items():
        if one.scores is None:
            continue
        figure, axes = _axes(*_SQUARE)
        strange = one.actual.astype(bool)
        for rows, (colour, line, _mark), name in (
            (one.scores[~strange], _LINES[0], "other rows"),
            (one.scores[strange], _LINES[1], "anomalies"),
        ):
            axes.hist(
                rows,
                bins=30,
                range=(0, 1),
                histtype="step",
                color=colour,
                linestyle=line,
                label=name,
                log=True,
            )
        axes.set_xlabel("score")
        axes.set_ylabel("rows")
        _legend(axes)
        said = f"{strange.sum()} anomalies with a median score of {_median(one.scores[strange])}"
        others = f"{(~strange).sum()} other rows with one of {_median(one.scores[~strange])}"
        drawn.append((f"Scores by {names[key]}", _svg(figure, f"Scores by {names[key]}: {said}, {others}")))
    return drawn


def clusters(outcomes: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Of a clustering: how large the clusters are, and the rows by their distances to the centres, in two dimensions."""
    import numpy as np

    drawn = []
    for key, one in outcomes.items():
        distances = np.asarray(one.scores, dtype=float)
        sizes = np.bincount(one.predicted, minlength=distances.shape[1])
        figure, axes = _axes(*_SQUARE)
        axes.bar(range(len(sizes)), sizes, color=_FIRST)
        axes.set_xticks(range(len(sizes)))
        axes.set_xlabel("cluster")
        axes.set_ylabel("rows")
        said = ", ".join(f"{number}: {size}" for number, size in enumerate(sizes.tolist()))
        drawn.append(
            (f"Clusters of {names[key]}", _svg(figure, f"Rows of each cluster of {names[key]}. {said}"))
        )
        if distances.shape[1] < 2:
            continue
        figure, axes = _axes(*_SQUARE)
        some = np.linspace(0, len(distances) - 1, min(len(distances), _MOST)).astype(int)
        middle = distances - distances.mean(axis=0)
        _left, spread, directions = np.linalg.svd(middle, full_matrices=False)
        at = middle[some] @ directions[:2].T
        for number in range(min(len(sizes), len(_LINES) * len(_MARKS))):
            own = one.predicted[some] == number
            axes.plot(
                at[own, 0],
                at[own, 1],
                _MARKS[number // len(_LINES)],
                color=_LINES[number % len(_LINES)][0],
                markersize=4,
                alpha=0.7,
                label=str(number),
            )
        axes.set_xlabel("first direction")
        axes.set_ylabel("second direction")
        _legend(axes)
        total = float((spread**2).sum()) or 1.0
        share = float((spread[:2] ** 2).sum()) / total
        title = f"Rows by {names[key]}"
        drawn.append(
            (
                title,
                _svg(
                    figure,
                    f"{title}: by their distances to the centres, of which two directions hold {share:.0%}",
                ),
            )
        )
    return drawn


def sureness(outcomes: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Of several classes: how often what a model says is right, by how sure it is of it."""
    import numpy as np
    from sklearn.calibration import calibration_curve

    told = {key: one for key, one in outcomes.items() if one.scores is not None and one.scores.size}
    if not told:
        return []
    figure, axes = _axes(*_SQUARE)
    said = []
    for (key, one), (colour, line, mark) in zip(told.items(), _LINES, strict=False):
        sure = np.clip(one.scores.max(axis=1), 0, 1)
        right = one.predicted == one.actual
        happened, expected = calibration_curve(right, sure, n_bins=_BINS)
        axes.plot(
            expected, happened, color=colour, linestyle=line, marker=mark, markersize=4, label=names[key]
        )
        said.append(f"{names[key]}: right in {right.mean():.0%}, sure of {sure.mean():.0%}")
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.5, linestyle=":")
    axes.set_xlabel("probability of the class that it says")
    axes.set_ylabel("share that was right")
    _legend(axes)
    return [("Calibration", _svg(figure, f"Calibration. {'; '.join(said)}"))]


def residuals(outcomes: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Of a regression: what the models were wrong by, and against what really was."""
    import numpy as np

    figure, axes = _axes(*_SQUARE)
    against, other = _axes(*_SQUARE)
    said = []
    for (key, one), (colour, line, mark) in zip(outcomes.items(), _LINES, strict=False):
        wrong = one.predicted - one.actual
        axes.hist(wrong, bins=40, histtype="step", color=colour, linestyle=line, label=names[key])
        some = np.linspace(0, len(wrong) - 1, min(len(wrong), _MOST)).astype(int)
        other.plot(
            one.actual[some],
            one.predicted[some],
            mark,
            markersize=3,
            color=colour,
            label=names[key],
            alpha=0.7,
        )
        said.append(f"{names[key]}: mean {wrong.mean():.4g}, standard deviation {wrong.std():.4g}")
    low, high = other.get_xlim()
    other.plot([low, high], [low, high], color=_INK, linewidth=0.5, linestyle=":")
    for each, (x, y) in ((axes, ("told minus real", "rows")), (other, ("real", "told"))):
        each.set_xlabel(x)
        each.set_ylabel(y)
        _legend(each)
    return [
        ("Residuals", _svg(figure, f"Residuals. {'; '.join(said)}")),
        ("Told against real", _svg(against, "What models told against what was real")),
    ]


def bars(values: Sequence[tuple[str, float]], what: str) -> str:
    """Numbers by name, the largest first."""
    figure, axes = _axes(_WIDE[0], 0.6 + 0.24 * len(values), fitted=True)
    names = [_shortened(name) for name, _ in values]
    axes.barh(range(len(values)), [value for _, value in values], color=_FIRST)
    axes.set_yticks(range(len(values)), names)
    axes.invert_yaxis()
    axes.set_xlabel(what)
    return _svg(figure, f"{what}: " + ", ".join(f"{name} {value:.4g}" for name, value in values[:5]))


def _axes(width: float, height: float, *, fitted: bool = False) -> tuple[Figure, Axes]:
    """A plot of so many inches; *fitted* to its labels, which takes as long again as the plot itself."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.fonttype"] = "none"
    rcParams["svg.hashsalt"] = "report"
    figure = Figure(figsize=(width, height), layout="constrained" if fitted else None)
    axes = figure.subplots()
    if not fitted:
        left, bottom = 0.62 / width, 0.52 / height
        figure.subplots_adjust(left=left, right=1 - 0.1 / width, bottom=bottom, top=1 - 0.1 / height)
    axes.tick_params(colors=_INK, labelsize=8)
    for each in (axes.xaxis.label, axes.yaxis.label):
        each.set_color(_INK)
        each.set_fontsize(9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(_INK)
    return figure, axes


def _svg(figure: Figure, description: str) -> str:
    """The picture with its description, in the page's colours; equal pictures are equal texts."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for colour, variable in _COLOURS.items():
        text = text.replace(colour, variable)
    text = re.sub(
        r' xmlns(:\w+)?="[^"]*"| xlink:href="#|', lambda found: ' href="#' if "href" in found[0] else "", text
    )
    text = _own_ids(text, f"p{hashlib.sha256((description + text).encode()).hexdigest()[:8]}")
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(description)}"', 1)


def _own_ids(text: str, prefix: str) -> str:
    """The picture with ids that no other on the page has, and of them only those that it names itself."""
    named = set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", text))
    used = {one for pair in named for one in pair if one}
    text = re.sub(
        r' id="([^"]*)"', lambda found: f' id="{prefix}{found[1]}"' if found[1] in used else "", text
    )
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", text)


def _legend(axes: Axes) -> None:
    axes.legend(fontsize=8, frameon=False, labelcolor=_INK)


def _name_runs(axes: Axes, runs: Sequence[RunFacts]) -> None:
    """A few of them, below a plot."""
    if not runs:
        return
    count = min(len(runs), _NAMED)
    places = [round(at * (len(runs) - 1) / max(count - 1, 1)) for at in range(count)]
    axes.set_xticks(places, [_shortened(_label(runs[at]), 12) for at in places], rotation=20, ha="right")


def _shortened(text: str, most: int = 24) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _median(values: Any) -> str:
    import numpy as np

    return f"{np.median(values):.3f}" if len(values) else "none"


def _thinned(x: Any, y: Any) -> tuple[Any, Any]:
    import numpy as np

    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST)).astype(int))
    return x[some], y[some]


def _label(run: RunFacts) -> str:
    return run.data_version or run.key[:7]
