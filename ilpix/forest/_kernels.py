# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the forest: a block of 8 · 8 pixels goes down all trees together.

At a node one comparison tells for all 64 pixels which go left. Neighbouring pixels are alike, so
few nodes are met, far fewer than 64 walks would meet. The visits of all trees wait in one queue, so
that none waits for the one before it, and nothing in them is a branch to be mispredicted. Pixels at
a leaf are noted on a ballot, a bit each; each tree has a ballot per class, and each leaf with
several classes has its own.

Indices are unsigned, because numba looks for negative ones among the others at every access.
"""

import numpy as np
from numba import njit

from ilpix._vectors import BITS, LANES, which_below

SIDE = 8  # px of a block, LANES = SIDE · SIDE
LEAF_BIT = 2**31

# A node with a threshold. A child is a node, or where it is a leaf LEAF_BIT and its ballot.
NODE = np.dtype(
    [("feature", np.uint32), ("threshold", np.float32), ("left", np.uint32), ("right", np.uint32)]
)
VISIT = np.dtype([("child", np.uint32), ("pixels", np.uint64)], align=True)
ROW = np.dtype([("values", np.float32, SIDE)])  # of a block: copied as a whole

_VISITS = 32  # compared before their children join the queue
_EVERY = ~np.uint64(0)

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def predict(
    rows, width, nodes, roots, votes, block_rows, block, queue, leaves, ballots, counts, out
):
    """Average over trees the votes of the leaf each pixel reaches. Equal to a threshold goes right.

    rows (F, Y, X / SIDE) ROW, Y and X those of out rounded up to a multiple of SIDE, what lies
    beyond is not used; nodes (N,) NODE; roots (T,) uint32, each as a child of a NODE; votes (L, K)
    float32 of the leaves with several classes; out (Y, width, K) float32, overwritten. Ballots:
    class k of tree t at k·T + t, then the L leaves.
    Scratch: block_rows (F, SIDE) ROW and block (F, LANES) float32, the same memory; queue (N + 1,)
    and leaves (N + T + 1,) VISIT; ballots (T·K + L,) uint64; counts (digits,) uint64, enough to
    count T in binary.
    """
    n_trees, n_classes = len(roots), out.shape[2]
    sums = np.empty(LANES, np.float32)
    for top in range(0, len(out), SIDE):
        for left in range(0, width, SIDE):
            _copy_block(rows, top, left // SIDE, block_rows)
            ballots[:] = 0
            _vote(block, nodes, roots, queue, leaves, ballots)
            for k in range(n_classes):
                _count(ballots[k * n_trees : (k + 1) * n_trees], counts)
                _average(counts, ballots[n_classes * n_trees :], votes[:, k], n_trees, sums)
                _write(sums, out[top : top + SIDE, left : left + SIDE, k])


@_compiled
def _copy_block(rows, top, place, block_rows):
    for f in range(block_rows.shape[0]):
        for y in range(SIDE):
            block_rows[f, y] = rows[f, top + y, place]


@_compiled
def _vote(block, nodes, roots, queue, leaves, ballots):
    """Send all pixels of a block down all trees."""
    below = np.empty(_VISITS, np.uint64)
    first = end = n_leaves = np.uint64(0)
    for root in roots:
        end, n_leaves = _send(root, _EVERY, queue, end, leaves, n_leaves)
    while first < end:
        n = min(np.uint64(_VISITS), end - first)
        for i in range(n):
            node = nodes[queue[first + i]["child"]]
            below[i] = which_below(block, node["feature"], node["threshold"])
        for i in range(n):
            visit = queue[first + i]
            node, pixels = nodes[visit["child"]], visit["pixels"]
            left, right = node["left"], node["right"]
            end, n_leaves = _send(left, pixels & below[i], queue, end, leaves, n_leaves)
            end, n_leaves = _send(right, pixels & ~below[i], queue, end, leaves, n_leaves)
        first += n
    for i in range(n_leaves):
        ballots[leaves[i]["child"] - np.uint32(LEAF_BIT)] |= leaves[i]["pixels"]


@_compiled
def _send(child, pixels, queue, end, leaves, n_leaves):
    """Append a child that some pixels reach to the queue or to the leaves.

    Both are written, and one of the lengths grows: there is no branch.
    """
    queue[end]["child"], queue[end]["pixels"] = child, pixels
    leaves[n_leaves]["child"], leaves[n_leaves]["pixels"] = child, pixels
    end += np.uint64((pixels != 0) & (child < LEAF_BIT))
    n_leaves += np.uint64((pixels != 0) & (child >= LEAF_BIT))
    return end, n_leaves


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
    for lane in range(LANES):
        sums[lane] /= np.float32(n_trees)


@_compiled
def _add_where(bits, value, sums):
    for lane in range(LANES):
        sums[lane] += value if bits >> np.uint64(lane) & np.uint64(1) else np.float32(0)


@_compiled
def _write(sums, out):
    """Write the sums, in the order of bits, to the part of a block that lies in the image."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = sums[BITS[y * SIDE + x]]
