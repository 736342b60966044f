# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the forest: a block of 8 · 8 pixels goes down all trees together.

At a node one comparison tells for all 64 pixels which go left. Neighbouring pixels are alike, so
few nodes are met, far fewer than 64 walks would meet. All trees of a batch go down level by level,
so that no visit waits for the one before it and nothing in it is a branch to be mispredicted.
Pixels at a leaf are noted on a ballot, a bit each; each tree has a ballot per class, and each leaf
with several classes has its own.
"""

import numpy as np
from numba import njit

from ilpix._vectors import LANES, which_below

# A node with a threshold. A child is a node, or where it is a leaf its ballot as a negative number.
NODE = np.dtype(
    [("feature", np.int32), ("threshold", np.float32), ("left", np.int32), ("right", np.int32)]
)
SIDE = 8  # px of a block, LANES = SIDE · SIDE

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def predict(
    features, width, nodes, roots, batches, votes, block, ballots, counts, places, masks, out
):
    """Average over trees the votes of the leaf each pixel reaches. Equal to a threshold goes right.

    features (F, rows, columns) float32, rows and columns those of out rounded up to a multiple of
    SIDE, what lies beyond is not used; nodes NODE; roots (T,) int32, each as a child of a NODE;
    batches (B + 1,) int32, where each batch of trees begins; votes (L, K) float32 of the leaves
    with several classes; out (rows, width, K) float32, overwritten. Ballots: 0 is not counted, then
    class k of tree t at 1 + t·K + k, then the L leaves.
    Scratch: block (F, LANES) float32, ballots (1 + T·K + L,) uint64, counts (digits,) uint64,
    enough to count T in binary, places (2, ·) int32 and masks (2, ·) uint64, each of twice the
    nodes and trees of a batch.
    """
    n_classes = out.shape[2]
    sums = np.empty(LANES, np.float32)
    for top in range(0, len(out), SIDE):
        for left in range(0, width, SIDE):
            n_rows, n_columns = min(SIDE, len(out) - top), min(SIDE, width - left)
            _copy_block(features, top, left, block)
            ballots[:] = 0
            for i in range(len(batches) - 1):
                _vote(block, nodes, roots[batches[i] : batches[i + 1]], ballots, places, masks)
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
def _vote(block, nodes, roots, ballots, places, masks):
    """Send all pixels of a block down some trees, one level after the other."""
    visits, children, visit_masks, child_masks = places[0], places[1], masks[0], masks[1]
    n_children = len(roots)
    for i in range(n_children):
        children[i], child_masks[i] = roots[i], ~np.uint64(0)
    while True:
        n_visits = _keep_inner(children, child_masks, n_children, visits, visit_masks)
        _mark_leaves(children, child_masks, n_children, ballots)
        if n_visits == 0:
            break
        for i in range(n_visits):
            node, mask = nodes[visits[i]], visit_masks[i]
            below = which_below(block, np.intp(node["feature"]), node["threshold"])
            children[2 * i], children[2 * i + 1] = node["left"], node["right"]
            child_masks[2 * i], child_masks[2 * i + 1] = mask & below, mask & ~below
        n_children = 2 * n_visits


@_compiled
def _keep_inner(children, child_masks, n_children, visits, masks):
    """Copy the children that are nodes and were reached; return how many.

    Four are loaded before one is stored: a load waits until it is known where the stores before it
    go, and that depends on what was loaded before.
    """
    n = 0
    for i in range(0, n_children - 3, 4):
        a, b, c, d = children[i], children[i + 1], children[i + 2], children[i + 3]
        mask_a, mask_b = child_masks[i], child_masks[i + 1]
        mask_c, mask_d = child_masks[i + 2], child_masks[i + 3]
        visits[n], masks[n] = a, mask_a
        n += (a >= 0) & (mask_a != 0)
        visits[n], masks[n] = b, mask_b
        n += (b >= 0) & (mask_b != 0)
        visits[n], masks[n] = c, mask_c
        n += (c >= 0) & (mask_c != 0)
        visits[n], masks[n] = d, mask_d
        n += (d >= 0) & (mask_d != 0)
    for i in range(n_children - n_children % 4, n_children):
        visits[n], masks[n] = children[i], child_masks[i]
        n += (children[i] >= 0) & (child_masks[i] != 0)
    return n


@_compiled
def _mark_leaves(children, child_masks, n_children, ballots):
    """Note the pixels at leaves on their ballots; those of other children go to ballot 0."""
    for i in range(n_children):
        ballots[max(-children[i], 0)] |= child_masks[i]


@_compiled
def _count(ballots, counts):
    """Count the ballots that each pixel is on: bit i of counts[d] is digit d of pixel i."""
    counts[:] = 0
    for ballot in ballots:
        carry = ballot
        for digit in range(len(counts)):
            digits = counts[digit]
            counts[digit] = digits ^ carry
            carry &= digits


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
