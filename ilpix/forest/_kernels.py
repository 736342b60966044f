# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the forest: a block of 8 · 16 pixels goes down all trees together.

At a node a few comparisons tell for all 128 pixels which go left. Neighbouring pixels are alike, so
few nodes are met, far fewer than 128 walks would meet. The visits of all trees wait in one queue,
so that none waits for the one before it, and nothing in them is a branch to be mispredicted. Pixels
at a leaf are noted on a ballot, a bit each; each tree has a ballot per class, and each leaf with
several classes has its own. A set of pixels is two masks, of the upper and the lower half of a
block.

Indices are unsigned, because numba looks for negative ones among the others at every access.
"""

import numpy as np
from numba import njit

from ilpix._vectors import HALF_ROWS, WIDTH, which_below

HEIGHT = 2 * HALF_ROWS  # px of a block, which is WIDTH px wide
LEAF_BIT = 2**31

# A node with a threshold. A child is a node, or where it is a leaf LEAF_BIT and its ballot.
NODE = np.dtype(
    [("feature", np.uint32), ("threshold", np.float32), ("left", np.uint32), ("right", np.uint32)]
)
VISIT = np.dtype([("upper", np.uint64), ("lower", np.uint64), ("child", np.uint32)], align=True)

_LANES = HALF_ROWS * WIDTH  # pixels of a mask
_VISITS = 32  # compared before their children join the queue
_EVERY = ~np.uint64(0)

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def predict(features, nodes, roots, votes, visits, ballots, counts, out):
    """Average over trees the votes of the leaf each pixel reaches. Equal to a threshold goes right.

    features (F, ≥ Y, ≥ X) float32, rows and columns those of out rounded up to multiples of HEIGHT
    and WIDTH, what lies beyond is not used; nodes (N,) NODE; roots (T,) uint32, each as a child of
    a NODE; votes (L, K) float32 of the leaves with several classes; out (Y, X, K) float32,
    overwritten. Ballots: class k of tree t at k·T + t, then the L leaves.
    Scratch: visits (2 · N + T + 2,) VISIT; ballots (2, T·K + L) uint64; counts (digits,) uint64,
    enough to count T in binary.
    """
    n_trees = len(roots)
    sums = np.empty(_LANES, np.float32)
    for top in range(0, out.shape[0], HEIGHT):
        for left in range(0, out.shape[1], WIDTH):
            ballots[:] = 0
            _vote(features, top, left, nodes, roots, visits, ballots)
            for half in range(2):
                first = top + half * HALF_ROWS
                for k in range(out.shape[2]):
                    _count(ballots[half, k * n_trees : (k + 1) * n_trees], counts)
                    mixed = ballots[half, out.shape[2] * n_trees :]
                    _average(counts, mixed, votes[:, k], n_trees, sums)
                    _write(sums, out[first : first + HALF_ROWS, left : left + WIDTH, k])


@_compiled
def _vote(features, top, left, nodes, roots, visits, ballots):
    """Send all pixels of a block down all trees; leaves are listed from the end of the visits."""
    upper, lower = np.empty(_VISITS, np.uint64), np.empty(_VISITS, np.uint64)
    first = end = np.uint64(0)
    last = np.uint64(len(visits) - 1)
    leaf = last
    for root in roots:
        end, leaf = _send(root, _EVERY, _EVERY, visits, end, leaf)
    while first < end:
        n = min(np.uint64(_VISITS), end - first)
        for i in range(n):
            node = nodes[visits[first + i]["child"]]
            upper[i], lower[i] = which_below(
                features, node["feature"], top, left, node["threshold"]
            )
        for i in range(n):
            visit = visits[first + i]
            node = nodes[visit["child"]]
            a, b = visit["upper"], visit["lower"]
            end, leaf = _send(node["left"], a & upper[i], b & lower[i], visits, end, leaf)
            end, leaf = _send(node["right"], a & ~upper[i], b & ~lower[i], visits, end, leaf)
        first += n
    for i in range(leaf + np.uint64(1), last + np.uint64(1)):
        ballot = visits[i]["child"] - np.uint32(LEAF_BIT)
        ballots[0, ballot] |= visits[i]["upper"]
        ballots[1, ballot] |= visits[i]["lower"]


@_compiled
def _send(child, upper, lower, visits, end, leaf):
    """Put a child that some pixels reach behind the other visits, or before the other leaves.

    It is written in any case, and where pixels reach it one of the places moves on: no branch.
    """
    is_leaf = child >= LEAF_BIT
    at = leaf if is_leaf else end
    visits[at]["child"], visits[at]["upper"], visits[at]["lower"] = child, upper, lower
    is_reached = (upper | lower) != 0
    return end + np.uint64(is_reached & ~is_leaf), leaf - np.uint64(is_reached & is_leaf)


@_compiled
def _count(ballots, counts):
    """Count the ballots that each pixel is on: bit i of counts[d] is digit d of pixel i.

    The ballots are added in pairs, with what is odd so far, and make way for their carries.
    """
    n = len(ballots)
    for digit in range(len(counts)):
        odd = np.uint64(0)
        for i in range(n // 2):
            a, b = ballots[2 * i], ballots[2 * i + 1]
            ballots[i] = (a & b) | ((a ^ b) & odd)
            odd ^= a ^ b
        if n % 2:
            last = ballots[n - 1]
            ballots[n // 2] = last & odd
            odd ^= last
        counts[digit] = odd
        n -= n // 2


@_compiled
def _average(counts, ballots, votes, n_trees, sums):
    """Add the counts and the votes of single leaves, and divide by the number of trees."""
    sums[:] = 0
    for leaf in range(len(ballots)):
        if ballots[leaf] != 0:
            _add_where(ballots[leaf], votes[leaf], sums)
    for digit in range(len(counts)):
        _add_where(counts[digit], np.float32(1 << digit), sums)
    for lane in range(_LANES):
        sums[lane] /= np.float32(n_trees)


@_compiled
def _add_where(bits, value, sums):
    for lane in range(_LANES):
        sums[lane] += value if bits >> np.uint64(lane) & np.uint64(1) else np.float32(0)


@_compiled
def _write(sums, out):
    """Write the sums to the part of half a block that lies in the image."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = sums[y * WIDTH + x]
