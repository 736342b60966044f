"""Random forests as Ilastik stores them: a typed value, read with every index checked.

A stored tree is two arrays. `topology` holds the column and class counts, then nodes of five
numbers (kind, place of its parameters, left child, right child, column) and leaves of two (kind,
place of its parameters). `parameters` holds a weight, then the threshold of a node or the class
probabilities of a leaf. All trees are followed from their roots at once, one level after the other;
no node may be met twice, so this ends.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from ilpix.errors import InvalidProjectError, Problem, told_shape

LEAF = -1

MAX_STORED_VALUES = 2**27  # of all trees together; 1 GB, a hundred times a large forest
MAX_DEPTH = 1000
_NEGLIGIBLE_BYTES, _MOST_COMPRESSION = 2**16, 100  # of a vector whose values need not be stored
MAX_LABEL = 255

_ROOT = 2
_INNER_KIND, _LEAF_KIND = 0, 0x40000000
_INNER_LENGTH, _LEAF_LENGTH = 5, 2
_LARGEST_ROUNDING = 1e-6  # of the sum of a leaf's probabilities

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Forest:
    """N nodes of T trees, over K classes; every tree weighs the same."""

    feature: npt.NDArray[np.int32]  # (N,) column that a node looks at; LEAF at leaves
    threshold: npt.NDArray[np.float64]  # (N,) left where float64(value) < threshold; 0 at leaves
    left: npt.NDArray[np.int32]  # (N,) node; 0 at leaves
    right: npt.NDArray[np.int32]  # (N,) node; 0 at leaves
    votes: npt.NDArray[np.float64]  # (N, K) class probabilities at leaves; 0 at inner nodes
    roots: npt.NDArray[np.int32]  # (T,) node
    n_columns: int  # of the feature matrix
    labels: tuple[int, ...]  # (K) label value of each vote column, counted from 1, increasing
    trees_per_forest: tuple[int, ...]  # how the trees are split over stored forests; sums to T


def load_forest(group: h5py.Group) -> Forest:
    """Read all forests of a `ClassifierForests` group as one.

    Raises:
        InvalidProjectError: with every problem found: a missing part, an index out of bounds, a
            cycle, a kind of node other than threshold and class probabilities, numbers that are not
            finite.
    """
    forest, problems = _read(group)
    if forest is None:
        raise InvalidProjectError(Path(group.file.filename), tuple(problems))
    return forest


@dataclass(frozen=True, eq=False)
class _StoredTrees:
    """The arrays of all T trees, one behind the other, with where each begins."""

    names: list[str]
    topology: _Ints
    topology_starts: _Ints  # (T + 1,)
    parameters: npt.NDArray[np.float64]
    parameter_starts: _Ints  # (T + 1,)
    n_columns: int
    n_classes: int


def _read(group: h5py.Group) -> tuple[Forest | None, list[Problem]]:
    problems: list[Problem] = []
    labels = _read_labels(group, problems)
    forests = [
        _numbered_groups(forest, r"Tree_\d+", problems)
        for forest in _numbered_groups(group, r"Forest\d+", problems)
    ]
    stored = _read_trees([tree for trees in forests for tree in trees], len(labels), problems)
    if stored is not None and not stored.names:
        problems.append(
            Problem(group.name, "holds no trees; train the classifier and save the project")
        )
    if stored is None or problems:
        return None, problems
    forest = _follow(stored, labels, tuple(map(len, forests)), problems)
    return (None if problems else forest), problems


def _read_labels(group: h5py.Group, problems: list[Problem]) -> tuple[int, ...]:
    values = _read_vector(group, "known_labels", np.uint32, MAX_LABEL, problems)
    if values is None:
        return ()
    labels = tuple(int(value) for value in values)
    if not labels or labels[0] < 1 or labels[-1] > MAX_LABEL or list(labels) != sorted(set(labels)):
        problems.append(
            Problem(
                f"{group.name}/known_labels", f"needs increasing label values from 1 to {MAX_LABEL}"
            )
        )
    return labels


def _read_trees(
    trees: list[h5py.Group], n_classes: int, problems: list[Problem]
) -> _StoredTrees | None:
    topologies: list[npt.NDArray[np.generic]] = []
    parameters: list[npt.NDArray[np.generic]] = []
    room = MAX_STORED_VALUES
    for tree in trees:
        topology = _read_vector(tree, "topology", np.int32, room, problems)
        values = _read_vector(tree, "parameters", np.float64, room, problems)
        if topology is None or values is None:
            return None
        room -= len(topology) + len(values)
        topologies.append(topology)
        parameters.append(values)
    n_columns = max((int(column) for topology in topologies for column in topology[:1]), default=0)
    for tree, topology in zip(trees, topologies, strict=True):
        counts = topology[:_ROOT].tolist()
        if counts != [n_columns, n_classes] or n_columns < 1:
            what = f"counts columns and classes as {counts}, others as {[n_columns, n_classes]}"
            problems.append(Problem(f"{tree.name}/topology", what))
    return _StoredTrees(
        [tree.name for tree in trees],
        np.concatenate([np.zeros(0, np.int64), *topologies]),
        np.cumsum([0, *map(len, topologies)]),
        np.concatenate([np.zeros(0, np.float64), *parameters]),
        np.cumsum([0, *map(len, parameters)]),
        n_columns,
        n_classes,
    )


def _numbered_groups(group: h5py.Group, pattern: str, problems: list[Problem]) -> list[h5py.Group]:
    members: list[h5py.Group] = []
    names = sorted(filter(re.compile(pattern).fullmatch, group), key=lambda name: (len(name), name))
    for name in names:
        member = group[name] if _is_own(group, name) else None
        if isinstance(member, h5py.Group):
            members.append(member)
        else:
            problems.append(Problem(f"{group.name}/{name}", "is not a group of this file"))
    return members


def _read_vector(
    group: h5py.Group, name: str, dtype: npt.DTypeLike, longest: int, problems: list[Problem]
) -> npt.NDArray[np.generic] | None:
    """Read a vector whose type fits into `dtype`; None after adding to `problems`."""
    if name not in group:
        problems.append(Problem(f"{group.name}/{name}", "missing"))
        return None
    member = group[name] if _is_own(group, name) else None
    if not isinstance(member, h5py.Dataset) or member.external or member.is_virtual:
        what = "is not an array of this file"
    elif member.ndim != 1 or not np.can_cast(member.dtype, dtype):
        what = (
            f"has shape {told_shape(member.shape)} and type {member.dtype}, not those of a forest"
        )
    elif len(member) > longest:
        what = f"holds {len(member)} values, more than a forest can need"
    elif member.nbytes > max(_NEGLIGIBLE_BYTES, _MOST_COMPRESSION * member.id.get_storage_size()):
        what = f"claims to hold {len(member)} values, of which hardly any is stored"
    else:
        values: npt.NDArray[np.generic] = member[()]
        return values
    problems.append(Problem(f"{group.name}/{name}", what))
    return None


def _is_own(group: h5py.Group, name: str) -> bool:
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def _follow(
    stored: _StoredTrees,
    labels: tuple[int, ...],
    trees_per_forest: tuple[int, ...],
    problems: list[Problem],
) -> Forest:
    """Number the nodes of all trees, level by level; what is broken goes to `problems`."""
    levels: list[tuple[npt.NDArray[np.generic], ...]] = []
    is_met = np.zeros(len(stored.topology), np.bool_)
    tree = np.arange(len(stored.names))
    place = np.full(len(tree), _ROOT)
    n_nodes = 0
    while len(tree):
        for is_sound, what in _CHECKS:
            sound = is_sound(stored, tree, place)
            problems += [Problem(stored.names[t], what) for t in np.unique(tree[~sound])]
            tree, place = tree[sound], place[sound]
        n_nodes += len(tree)
        at = stored.topology_starts[tree] + place
        is_repeated = is_met[at].any() or len(np.unique(at)) < len(at)
        if is_repeated or len(levels) > MAX_DEPTH or n_nodes * stored.n_classes > MAX_STORED_VALUES:
            problems.append(
                Problem(stored.names[tree[0]], "or another tree has a cycle or is too large")
            )
            break
        is_met[at] = True
        is_inner = stored.topology[at] == _INNER_KIND
        levels.append(_node_values(stored, tree, at, is_inner, n_nodes))
        at, tree = at[is_inner], np.repeat(tree[is_inner], 2)
        place = np.stack([stored.topology[at + 2], stored.topology[at + 3]], axis=1).ravel()
    feature, threshold, left, right, votes = (
        np.concatenate(column) for column in zip(*levels, strict=True)
    )
    roots = np.arange(len(stored.names), dtype=np.int32)
    return Forest(
        feature, threshold, left, right, votes, roots, stored.n_columns, labels, trees_per_forest
    )


def _node_values(
    stored: _StoredTrees, tree: _Ints, at: _Ints, is_inner: _Bools, n_before: int
) -> tuple[npt.NDArray[np.generic], ...]:
    """Return feature, threshold, left, right, votes of a level; its children follow `n_before`."""
    child = np.where(is_inner, n_before + 2 * (np.cumsum(is_inner) - 1), 0).astype(np.int32)
    parameter = stored.parameter_starts[tree] + stored.topology[at + 1] + 1
    feature = np.full(len(at), LEAF, np.int32)
    feature[is_inner] = stored.topology[at[is_inner] + 4]
    votes = np.zeros((len(at), stored.n_classes))
    votes[~is_inner] = stored.parameters[parameter[~is_inner, None] + np.arange(stored.n_classes)]
    threshold = np.where(is_inner, stored.parameters[parameter], 0.0)
    return feature, threshold, child, np.where(is_inner, child + 1, 0).astype(np.int32), votes


# Each of the following says for nodes (tree, place in its topology) whether one thing holds, given
# that everything before it holds.


def _lies_inside(stored: _StoredTrees, tree: _Ints, place: _Ints) -> _Bools:
    length = np.diff(stored.topology_starts)[tree]
    sound: _Bools = (place >= _ROOT) & (place + _LEAF_LENGTH <= length)
    return sound


def _has_known_kind(stored: _StoredTrees, tree: _Ints, place: _Ints) -> _Bools:
    length = np.diff(stored.topology_starts)[tree]
    kind = stored.topology[stored.topology_starts[tree] + place]
    sound: _Bools = (kind == _LEAF_KIND) | (
        (kind == _INNER_KIND) & (place + _INNER_LENGTH <= length)
    )
    return sound


def _has_parameters(stored: _StoredTrees, tree: _Ints, place: _Ints) -> _Bools:
    at = stored.topology_starts[tree] + place
    needed = np.where(stored.topology[at] == _INNER_KIND, 2, 1 + stored.n_classes)
    parameter = stored.topology[at + 1]
    length = np.diff(stored.parameter_starts)[tree]
    sound: _Bools = (parameter >= 0) & (parameter + needed <= length)
    return sound


def _has_column(stored: _StoredTrees, tree: _Ints, place: _Ints) -> _Bools:
    at = stored.topology_starts[tree] + place
    is_inner = stored.topology[at] == _INNER_KIND
    column = stored.topology[np.where(is_inner, at + 4, 0)]
    sound: _Bools = ~is_inner | ((column >= 0) & (column < stored.n_columns))
    return sound


def _has_numbers(stored: _StoredTrees, tree: _Ints, place: _Ints) -> _Bools:
    at = stored.topology_starts[tree] + place
    is_inner = stored.topology[at] == _INNER_KIND
    parameter = stored.parameter_starts[tree] + stored.topology[at + 1] + 1
    sound: _Bools = np.isfinite(stored.parameters[parameter])
    votes = stored.parameters[parameter[~is_inner, None] + np.arange(stored.n_classes)]
    sound[~is_inner] = (votes >= 0).all(axis=1) & (abs(votes.sum(axis=1) - 1) <= _LARGEST_ROUNDING)
    return sound


_CHECKS: tuple[tuple[Callable[[_StoredTrees, _Ints, _Ints], _Bools], str], ...] = (
    (_lies_inside, "has a child outside of its topology"),
    (_has_known_kind, "has a node that is neither a threshold nor class probabilities"),
    (_has_parameters, "has a node whose parameters lie outside of its parameters"),
    (_has_column, "has a node that looks at a column that does not exist"),
    (_has_numbers, "has a threshold that is not finite or probabilities that do not sum to 1"),
)
