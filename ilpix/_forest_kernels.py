# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the forest: a block of 8 · 8 pixels goes down all trees together.

At a node one comparison tells for all 64 pixels which go left. Neighbouring pixels are alike, so
few nodes are met, far fewer than 64 walks would meet. What is still to be visited waits in a queue,
children behind
all others: a visit never waits for the one before it, and nothing in it is a branch to be
mispredicted. Pixels at a leaf are noted on a ballot, a bit each; each tree has a ballot per class,
and each leaf with several classes has its own.
"""

import numpy as np
from numba import njit

from ilpix._vectors import LANES, which_below

# A node with a threshold. A child is a node, or negative where it is a leaf; a ballot is the
# leaf's, or 0.
NODE = np.dtype(
    [
        ("feature", np.int32),
        ("threshold", np.float32),
        ("left", np.int32),
        ("right", np.int32),
        ("left_ballot", np.int32),
        ("right_ballot", np.int32),
    ]
)
SIDE = 8  # px of a block, LANES = SIDE · SIDE

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def predict(
    features, width, nodes, roots, batches, votes, block, ballots, counts, queue, masks, out
):
    """Average over trees the votes of the leaf each pixel reaches. Equal to a threshold goes right.

    features (F, rows, columns) float32, rows and columns those of out rounded up to a multiple of
    SIDE, what lies beyond is not used; nodes NODE; roots (T, 2) int32, node and ballot, either as
    in a NODE; batches (B + 1,) int32, where each batch of trees begins; votes (L, K) float32 of the
    leaves with several classes; out (rows, width, K) float32, overwritten. Ballots: 0 is not
    counted, then class k of tree t at 1 + t·K + k, then the L leaves.
    Scratch: block (F, LANES) float32, ballots (1 + T·K + L,) uint64, counts (digits,) uint64,
        enough to count T in binary, queue int32 and masks uint64 of at least the nodes of a batch
        and 2.
    """
    n_classes = out.shape[2]
    sums = np.empty(LANES, np.float32)
    for top in range(0, len(out), SIDE):
        for left in range(0, width, SIDE):
            n_rows, n_columns = min(SIDE, len(out) - top), min(SIDE, width - left)
            _copy_block(features, top, left, block)
            ballots[:] = 0
            for i in range(len(batches) - 1):
                _vote(block, nodes, roots[batches[i] : batches[i + 1]], ballots, queue, masks)
            for k in range(n_classes):
                _count(ballots[1 + k : 1 + len(roots) * n_classes : n_classes], counts)
                _average(
                    counts, ballots[1 + len(roots) * n_classes :], votes[:, k], len(roots), sums
                )
                for y in range(n_rows):
                    for x in range(n_columns):
                        out[top + y, left + x, k] = sums[y * SIDE + x]


@_compiled
def _copy_block(features, top, left, block):
    for f in range(len(features)):
        out = block[f]
        for y in range(SIDE):
            row = features[f, top + y, left:]
            for x in range(SIDE):
                out[y * SIDE + x] = row[x]


@_compiled
def _vote(block, nodes, roots, ballots, queue, masks):
    """Send all pixels of a block down some trees."""
    end = 0
    for i in range(len(roots)):
        queue[end], masks[end] = roots[i, 0], ~np.uint64(0)
        ballots[roots[i, 1]] |= ~np.uint64(0)
        end += roots[i, 0] >= 0
    start = 0
    while start < end:
        node, mask = nodes[queue[start]], masks[start]
        start += 1
        below = which_below(block, np.intp(node["feature"]), node["threshold"])
        left, right = mask & below, mask & ~below
        ballots[node["left_ballot"]] |= left
        queue[end], masks[end] = node["left"], left
        end += (node["left"] >= 0) & (left != 0)
        ballots[node["right_ballot"]] |= right
        queue[end], masks[end] = node["right"], right
        end += (node["right"] >= 0) & (right != 0)


@_compiled
def _count(ballots, counts):
    """Count, for all pixels at once, the ballots they are on: bit i of counts[d] is digit d of pixel i."""
    counts[:] = 0
    for ballot in ballots:
        carry = ballot
        for digit in range(len(counts)):
            digits = counts[digit]
            counts[digit] = digits ^ carry
            carry &= digits


@_compiled
def _average(counts, ballots, votes, n_trees, sums):
    """Add the counts and the votes of the ballots of single leaves, and divide by the number of trees."""
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
