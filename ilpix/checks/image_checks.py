"""Compare prepared images with what a project was trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ilpix.checks.findings import Finding
from ilpix.features.selection import FeatureSelection
from ilpix.images.axistags import AXES
from ilpix.images.hdf5 import ImageHeader, ImageRecord
from ilpix.wording import counted


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a project expects of an image; None where it does not say."""

    n_channels: int | None
    record: ImageRecord | None
    features: FeatureSelection | None


def check_image_fits(name: str, image: ImageHeader, wanted: Expectation) -> list[Finding]:
    """Compare what an image says about itself with what the project expects."""
    findings = [*_check_channels(name, image, wanted), *_check_preparation(name, image, wanted)]
    smallest = wanted.features.smallest_size() if wanted.features is not None else 1
    if min(image.shape[1:]) < smallest:
        what = f"is smaller than the {smallest} px that the widest feature needs"
        advice = "leave the image out, or train without the widest scales"
        findings.append(Finding("error", "size", name, what, advice))
    if image.axes != AXES:
        what = f"is stored with the axes {image.axes}, not {AXES}"
        advice = "engine embedded reads it all the same; for Ilastik itself run prepare again"
        findings.append(Finding("warning", "axes", name, what, advice))
    return findings


def _check_channels(name: str, image: ImageHeader, wanted: Expectation) -> list[Finding]:
    advice = "prepare the images with the panel and options of the training images"
    if wanted.n_channels is not None and image.shape[0] != wanted.n_channels:
        what = f"has {counted(image.shape[0], 'channel')}, the project {wanted.n_channels}"
        return [Finding("error", "channels", name, what, advice)]
    if wanted.record is None or image.record is None:
        what = (
            "does not name its channels" if image.record is None else "cannot be compared by name"
        )
        return [
            Finding(
                "warning",
                "channels",
                name,
                f"{what}: whether they are in the order of training is not known",
                "compare the panel with that of the training images",
            )
        ]
    what = _compare_names(image.record.channel_names, wanted.record.channel_names)
    return [Finding("error", "channels", name, what, advice)] if what else []


def _compare_names(found: Sequence[str], trained: Sequence[str]) -> str:
    """Say how two lists of channel names differ; empty where they do not."""
    if tuple(found) == tuple(trained):
        return ""
    if Counter(found) == Counter(trained):
        moved = [
            f"channel {index} is {here}, in training {there}"
            for index, (here, there) in enumerate(zip(found, trained, strict=True))
            if here != there
        ]
        order = ", ".join(str(list(found).index(channel)) for channel in trained)
        return (
            f"has its channels in another order: {'; '.join(moved)} (training's order is {order})"
        )
    missing = list((Counter(trained) - Counter(found)).elements())
    extra = list((Counter(found) - Counter(trained)).elements())
    names = [", ".join(those) or "none" for those in (extra, missing)]
    return f"has other channels: {names[0]} in place of {names[1]}"


def _check_preparation(name: str, image: ImageHeader, wanted: Expectation) -> list[Finding]:
    if wanted.record is None or image.record is None:
        return []
    found, trained = (record.preparation.model_dump() for record in (image.record, wanted.record))
    advice = "prepare the images with the options of the training images"
    return [
        Finding(
            "error",
            "preparation",
            name,
            f"was prepared with {option} {found[option]}, the training crops with {value}",
            advice,
        )
        for option, value in trained.items()
        if found[option] != value
    ]
