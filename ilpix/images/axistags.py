"""Ilastik's axis tags: which axis of a dataset is which."""

import json

import h5py

from ilpix.errors import told_shape

AXES = "cyx"
TYPE_FLAGS = {"c": 1, "x": 2, "y": 2, "z": 2, "t": 8}  # Ilastik's number for a kind of axis


def axis_keys(dataset: h5py.Dataset, n_channels: int | None = None) -> str:
    """Return the axes of a dataset in stored order, such as `cyx`.

    Without `axistags`, three axes are taken for `cyx`, as steinbock tells Ilastik to take them; but
    where only another one is as long as there are channels, that is the axis of the channels, also
    among more axes of which the others have length 1.

    Raises:
        ValueError: if the tags cannot be read or do not fit the dataset's number of axes.
    """
    tags = dataset.attrs.get("axistags")
    if tags is None:
        keys = _guess_axes(dataset.shape, n_channels)
    else:
        keys = parse_axistags(tags.decode() if isinstance(tags, bytes) else str(tags))
    if len(keys) != dataset.ndim:
        what = f"the axes {keys}" if keys else "axes without names"
        raise ValueError(
            f"{what} do not fit its {dataset.ndim} dimensions {told_shape(dataset.shape)}; name "
            "them in the attribute 'axistags', as Ilastik's plugin for Fiji does"
        )
    return keys


def _guess_axes(shape: tuple[int, ...], n_channels: int | None) -> str:
    """The axes of a dataset that does not name them; empty where there is no telling."""
    usual = AXES[-len(shape) :] if len(shape) in {2, 3} else ""
    if usual == AXES and n_channels in {None, shape[0]}:
        return usual
    long = [k for k, size in enumerate(shape) if size > 1]
    channels = [k for k in long if shape[k] == n_channels]
    plane = [k for k in long if k not in channels]
    if len(channels) > 1 or len(plane) != 2 or (n_channels != 1 and not channels):
        return usual
    names = dict(zip([*channels, *plane], "cyx" if channels else "yx", strict=True))
    spare = iter("tzabdefgh"[max(0, 2 - (len(shape) - len(names))) :])
    return "".join(names[k] if k in names else next(spare) for k in range(len(shape)))


def parse_axistags(text: str) -> str:
    """Return the axis keys of an `axistags` JSON text in their order, such as `zyxc`.

    Raises:
        ValueError: if the text does not name one-letter axes, each once.
    """
    try:
        keys = [str(axis["key"]) for axis in json.loads(text)["axes"]]
    except (KeyError, TypeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the axis tags cannot be read: {text[:80]!r}") from error
    if any(len(key) != 1 for key in keys) or len(set(keys)) != len(keys):
        raise ValueError(f"the axis tags name {', '.join(keys)}")
    return "".join(keys)


def axistags_json(keys: str) -> str:
    """Return the `axistags` text for axes (letters of `cxyzt`), in steinbock's spelling."""
    return json.dumps({"axes": [{"key": key, "typeFlags": TYPE_FLAGS[key]} for key in keys]})
