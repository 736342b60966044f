"""A quality report as text, JSON and plots; the same report gives the same bytes."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ilpix.data_directory import QUALITY
from ilpix.files import replacing, write_text
from ilpix.training.judging import Confusion
from ilpix.training.quality import QualityReport
from ilpix.training.verdict import verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

JSON_NAME = "quality.json"
TABLE_NAME = QUALITY.name

_MOST_CROPS_LISTED = 20
_MOST_CHANNELS_PLOTTED = 20
_LONGEST_NAME = 40
_PLOT_DPI = 120


def write_quality_report(report: QualityReport, folder: Path) -> list[Path]:
    """Write `quality.json`, `quality.md` and the plots, each whole or not at all.

    Args:
        report: what was measured.
        folder: made where it is missing.

    Returns:
        All files written.
    """
    document, table = folder / JSON_NAME, folder / TABLE_NAME
    write_text(document, json.dumps(as_json(report), indent=2, allow_nan=False) + "\n")
    write_text(table, as_markdown(report))
    return [document, table, *_write_plots(report, folder)]


def as_json(report: QualityReport) -> dict[str, Any]:
    """Return a report as JSON values; numbers that do not exist are null."""
    names = report.class_names
    validation = report.cross_validation
    return {
        "labelled_pixels": report.pixels,
        "out_of_bag": _confusion_as_json(report.out_of_bag, names),
        "leave_one_crop_out": validation and _confusion_as_json(validation, names),
        "crops": [
            {"crop": result.crop, **_confusion_as_json(result.confusion, names)}
            for result in report.crops
        ],
        "learning_curve": [
            {
                "pixels": point.pixels,
                "accuracy": point.accuracy,
                "mean_recall": point.mean_recall,
                "standard_error": _number(point.error),
            }
            for point in report.learning_curve
        ],
        "importance": {
            "features": report.importance.features,
            "scales_px": {f"{scale:g}": part for scale, part in report.importance.scales.items()},
            "channels": report.importance.channels,
        },
        "verdict": list(verdict(report)),
        "advice": list(report.advice),
    }


def as_markdown(report: QualityReport) -> str:
    """Return a report as Markdown, readable on a terminal as well."""
    validation = report.cross_validation
    return (
        "\n\n".join(
            [
                "# Quality of the classifier",
                _summary(report),
                *_sentences(report),
                "## Confusion (pixels)\n\nRows: as labelled. Columns: as predicted.",
                _confusion_table(validation or report.out_of_bag, report.class_names),
                *_crop_section(report),
                *_curve_section(report),
                "## Importance (share in the decrease of impurity)",
                *[
                    _table((title, "share"), [(str(key), _percent(part)) for key, part in parts])
                    for title, parts in _importance_parts(report)
                ],
            ]
        )
        + "\n"
    )


def _sentences(report: QualityReport) -> list[str]:
    sentences = (*verdict(report), *report.advice)
    return ["\n".join(f"- {sentence}" for sentence in sentences)] if sentences else []


def _summary(report: QualityReport) -> str:
    rows = [("out of bag (flattering: neighbours were trained on)", report.out_of_bag)]
    if report.cross_validation is not None:
        rows.append(("leave one crop out (as on a new image)", report.cross_validation))
    return _table(
        ("judged", "accuracy", "mean recall", "pixels"),
        [
            (what, _percent(c.accuracy), _percent(c.balanced_accuracy), str(c.counts.sum()))
            for what, c in rows
        ],
    )


def _confusion_table(confusion: Confusion, names: dict[int, str]) -> str:
    heads = [names[label] for label in confusion.labels]
    rows = [
        (head, *map(str, row), _percent(recall), _percent(precision))
        for head, row, recall, precision in zip(
            heads, confusion.counts, confusion.recall, confusion.precision, strict=True
        )
    ]
    return _table(("", *heads, "recall", "precision"), rows)


def _crop_section(report: QualityReport) -> list[str]:
    if not report.crops:
        return []
    worst = sorted(report.crops, key=lambda result: result.confusion.accuracy)
    rows = [
        (result.crop, _percent(result.confusion.accuracy), str(result.confusion.counts.sum()))
        for result in worst[:_MOST_CROPS_LISTED]
    ]
    title = "## Crops, each judged by a forest of the others (least recognised first)"
    return [title, _table(("crop", "accuracy", "pixels"), rows)]


def _curve_section(report: QualityReport) -> list[str]:
    if not report.learning_curve:
        return []
    rows = [
        (
            str(point.pixels),
            f"{_percent(point.mean_recall)} ± {_percent(point.error)}",
            _percent(point.accuracy),
        )
        for point in report.learning_curve
    ]
    heads = ("labelled pixels", "mean recall on other crops", "accuracy")
    return ["## Learning curve", _table(heads, rows)]


def _importance_parts(report: QualityReport) -> list[tuple[str, list[tuple[object, float]]]]:
    importance = report.importance
    return [
        ("feature", list(importance.features.items())),
        ("scale (px)", [(f"{scale:g}", part) for scale, part in importance.scales.items()]),
        ("channel", list(importance.channels.items())),
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to one width; a bar inside of a name is escaped."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (heads, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    return "\n".join(
        [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
    )


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f} %"


def _confusion_as_json(confusion: Confusion, names: dict[int, str]) -> dict[str, Any]:
    classes = [names[label] for label in confusion.labels]
    return {
        "accuracy": confusion.accuracy,
        "mean_recall": confusion.balanced_accuracy,
        "classes": classes,
        "confusion": confusion.counts.tolist(),
        "recall": dict(zip(classes, map(_number, confusion.recall), strict=True)),
        "precision": dict(zip(classes, map(_number, confusion.precision), strict=True)),
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _write_plots(report: QualityReport, folder: Path) -> list[Path]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second to import

    plots: dict[str, Callable[[QualityReport, Axes], None]] = {
        "confusion.png": _plot_confusion,
        "importance.png": _plot_importance,
    }
    if report.crops:
        plots["crops.png"] = _plot_crops
    if report.learning_curve:
        plots["learning_curve.png"] = _plot_curve
    for name, draw in plots.items():
        figure = Figure(dpi=_PLOT_DPI, layout="constrained")
        draw(report, figure.add_subplot())
        with replacing(folder / name) as temporary:
            # Without this entry the version of matplotlib would be in the file.
            figure.savefig(temporary, metadata={"Software": None})
    return [folder / name for name in plots]


def _plot_confusion(report: QualityReport, axes: "Axes") -> None:
    confusion = report.cross_validation or report.out_of_bag
    names = [_plain(report.class_names[label]) for label in confusion.labels]
    shares = confusion.counts / np.maximum(confusion.counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), count in np.ndenumerate(confusion.counts):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=color)
    axes.set(xlabel="predicted", ylabel="labelled", title="Confusion (pixels)")


def _plot_importance(report: QualityReport, axes: "Axes") -> None:
    bars = [
        (f"{title}: {key}", part, f"C{group}")
        for group, (title, parts) in enumerate(_importance_parts(report))
        for key, part in parts[:_MOST_CHANNELS_PLOTTED]
    ]
    names, shares, colors = zip(*reversed(bars), strict=True)
    axes.barh(range(len(names)), shares, color=colors)
    axes.set_yticks(range(len(names)), map(_plain, names), fontsize=6)
    axes.set(xlabel="share in the decrease of impurity", title="Importance")


def _plot_crops(report: QualityReport, axes: "Axes") -> None:
    results = sorted(report.crops, key=lambda result: result.confusion.accuracy)
    results = results[:_MOST_CROPS_LISTED][::-1]
    axes.barh(range(len(results)), [result.confusion.accuracy for result in results])
    axes.set_yticks(range(len(results)), [_plain(result.crop) for result in results], fontsize=6)
    axes.set(xlim=(0, 1), xlabel="accuracy", title="Each crop judged by a forest of the others")


def _plot_curve(report: QualityReport, axes: "Axes") -> None:
    pixels = [point.pixels for point in report.learning_curve]
    recalls = [point.mean_recall for point in report.learning_curve]
    errors = np.nan_to_num([point.error for point in report.learning_curve])
    axes.errorbar(pixels, recalls, errors, fmt="o-", capsize=3)
    axes.set_xscale("log", base=2)
    axes.set_xticks(pixels, [str(count) for count in pixels])
    axes.set(
        xlabel="labelled pixels",
        ylabel="mean recall on other crops, ± standard error",
        title="Learning curve",
    )
    axes.grid(visible=True)


def _plain(name: str) -> str:
    """A name that fits beside a plot and in which matplotlib sees no formula."""
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return short.replace("$", r"\$")
