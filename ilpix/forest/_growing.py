# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops that grow one tree.

Columns are ranks: the values of a column are numbered in their order, equal ones alike. At a node
the ranks of its pixels are sorted, column by column, and every border between two ranks is tried.
A pixel that was drawn several times is there once, with a weight.
"""

import numpy as np
from numba import njit

CLASS_BITS, WEIGHT_BITS = 8, 16  # of a sorted element, the rank above them
LEAF = -1

_FEW = 40  # elements that are sorted by insertion
_DIGIT_BITS = 8
_DIGITS = 1 << _DIGIT_BITS
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_32 = np.uint64(32)

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def grow_tree(
    ranks,
    values,
    n_ranks,
    classes,
    n_tried,
    seed,
    number,
    drawn,
    tags,
    pixels,
    spare,
    elements,
    buffer,
    columns,
    counts,
    stack,
    feature,
    threshold,
    left,
    right,
    votes,
    importances,
):
    """Grow a tree until its leaves are pure, and return the number of its nodes.

    ranks (F, P) uint32; values (F, P) float32, of column f the first n_ranks[f] by rank; classes
    (P,) uint8 below K; n_tried: columns a node looks at, more where these are constant there; seed
    and number of the tree: all that decides what is drawn. Out: drawn (P,) int32 rows, with
    replacement; feature, left, right (N,) int32, threshold (N,) float64 and votes (N, K) float64,
    N ≥ 2 · P - 1, of nodes from the root on, LEAF for a leaf: what is below a threshold goes left;
    importances (F,) float64, the decrease of impurity by column.
    Scratch: tags (P,) int64; pixels, spare (P,) int32; elements, buffer (P,) int64; columns (F,)
    int32; counts (3, K) int64; stack (P + 1, 3) int64.
    """
    state = np.empty(1, np.uint64)
    state[0] = _mixed(_mixed(np.uint64(seed)) + np.uint64(number))
    n = _draw(classes, state, drawn, tags, pixels)
    for f in range(len(columns)):
        columns[f] = f
    importances[:] = 0
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, n, 0
    n_waiting, n_nodes = 1, 1
    while n_waiting > 0:
        n_waiting -= 1
        first, end, node = stack[n_waiting, 0], stack[n_waiting, 1], stack[n_waiting, 2]
        size = _count(tags, pixels[first:end], counts[0])
        feature[node], threshold[node], left[node], right[node] = LEAF, 0, 0, 0
        votes[node] = 0
        column, low, high, gain = LEAF, 0, 0, 0.0
        if counts[0].max() < size:
            column, low, high, gain = _split(
                ranks,
                n_ranks,
                tags,
                pixels[first:end],
                n_tried,
                state,
                elements,
                buffer,
                columns,
                counts,
            )
        if column == LEAF:
            for k in range(votes.shape[1]):
                votes[node, k] = counts[0, k] / size
            continue
        importances[column] += gain
        feature[node] = column
        threshold[node] = (np.float64(values[column, low]) + np.float64(values[column, high])) / 2
        left[node], right[node] = n_nodes, n_nodes + 1
        middle = first + _part(ranks[column], low, pixels[first:end], spare)
        stack[n_waiting, 0], stack[n_waiting, 1], stack[n_waiting, 2] = middle, end, n_nodes + 1
        n_waiting += 1
        stack[n_waiting, 0], stack[n_waiting, 1], stack[n_waiting, 2] = first, middle, n_nodes
        n_waiting += 1
        n_nodes += 2
    return n_nodes


@_compiled
def rank_column(values, order, ranks, distinct):
    """Number the values of a column, equal ones alike, and return how many numbers there are.

    values (P,) float32; order (P,) sorts them; ranks (P,) uint32 and distinct (P,) float32: out.
    """
    n = 0
    for i in range(len(order)):
        value = values[order[i]]
        if i == 0 or value != distinct[n - 1]:
            distinct[n] = value
            n += 1
        ranks[order[i]] = n - 1
    return n


@_compiled
def _draw(classes, state, drawn, tags, pixels):
    """Draw as many pixels as there are, with replacement; return how many different ones."""
    n_pixels = len(classes)
    for p in range(n_pixels):
        tags[p] = classes[p]
    for i in range(n_pixels):
        p = _below(state, n_pixels)
        drawn[i] = p
        tags[p] += 1 << CLASS_BITS
    n = 0
    for p in range(n_pixels):
        if tags[p] >> CLASS_BITS:
            pixels[n] = p
            n += 1
    return n


@_compiled
def _count(tags, pixels, counts):
    """Add up the weights of each class; return those of all."""
    counts[:] = 0
    total = 0
    for p in pixels:
        weight = tags[p] >> CLASS_BITS
        counts[tags[p] & 0xFF] += weight
        total += weight
    return total


@_compiled
def _split(ranks, n_ranks, tags, pixels, n_tried, state, elements, buffer, columns, counts):
    """Find the column and border with the lowest impurity; the first of equal ones.

    Returns column (LEAF: all are constant), rank below and above the border, decrease of impurity
    times weight.
    """
    column, low, high, best = LEAF, 0, 0, -1.0
    n_columns, n = len(columns), len(pixels)
    for i in range(n_columns):
        if i >= n_tried and column != LEAF:
            break
        j = i + _below(state, n_columns - i)
        columns[i], columns[j] = columns[j], columns[i]
        f = columns[i]
        least, most = _gather(ranks[f], tags, pixels, elements)
        if least == most:
            continue
        in_order = _sort(elements[:n], buffer[:n], n_ranks[f])
        score, at = _best_border(in_order, counts)
        if score > best:
            best, column = score, f
            shift = CLASS_BITS + WEIGHT_BITS
            low, high = in_order[at] >> shift, in_order[at + 1] >> shift
    return column, low, high, best - _purity(counts[0])


@_compiled
def _gather(ranks, tags, pixels, elements):
    """Put rank, weight and class of each pixel into one number; return the extreme ranks."""
    least, most = np.int64(ranks[pixels[0]]), np.int64(0)
    for i in range(len(pixels)):
        p = pixels[i]
        rank = np.int64(ranks[p])
        least, most = min(least, rank), max(most, rank)
        elements[i] = (rank << (CLASS_BITS + WEIGHT_BITS)) | tags[p]
    return least, most


@_compiled
def _sort(elements, buffer, n_ranks):
    """Sort by rank, equal ones in their order; return which of the two arrays it is in."""
    shift = CLASS_BITS + WEIGHT_BITS
    if len(elements) <= _FEW:
        for i in range(1, len(elements)):
            moved = elements[i]
            at = i
            while at > 0 and (elements[at - 1] >> shift) > (moved >> shift):
                elements[at] = elements[at - 1]
                at -= 1
            elements[at] = moved
        return elements
    places = np.empty(_DIGITS, np.int64)
    left = n_ranks - 1
    while left > 0:
        places[:] = 0
        for element in elements:
            places[(element >> shift) & (_DIGITS - 1)] += 1
        place = 0
        for digit in range(_DIGITS):
            n = places[digit]
            places[digit] = place
            place += n
        for element in elements:
            digit = (element >> shift) & (_DIGITS - 1)
            buffer[places[digit]] = element
            places[digit] += 1
        elements, buffer = buffer, elements
        shift += _DIGIT_BITS
        left >>= _DIGIT_BITS
    return elements


@_compiled
def _best_border(elements, counts):
    """Return the largest purity of two parts, and the element that the first part ends with.

    counts (3, K): the first row holds the weights of each class, the others are scratch.
    """
    first, second = counts[1], counts[2]
    n_first = n_second = squares_first = squares_second = np.int64(0)
    for k in range(counts.shape[1]):
        first[k], second[k] = 0, counts[0, k]
        n_second += second[k]
        squares_second += second[k] * second[k]
    best, at = -1.0, 0
    shift = CLASS_BITS + WEIGHT_BITS
    for i in range(len(elements) - 1):
        element = elements[i]
        k = element & ((1 << CLASS_BITS) - 1)
        weight = (element >> CLASS_BITS) & ((1 << WEIGHT_BITS) - 1)
        squares_first += weight * (2 * first[k] + weight)
        squares_second += weight * (weight - 2 * second[k])
        first[k] += weight
        second[k] -= weight
        n_first += weight
        n_second -= weight
        if (element >> shift) != (elements[i + 1] >> shift):
            purity = squares_first / n_first + squares_second / n_second
            if purity > best:
                best, at = purity, i
    return best, at


@_compiled
def _purity(counts):
    """Squares of the weights of each class by their sum: weight times (1 - Gini impurity)."""
    total = squares = np.int64(0)
    for n in counts:
        total += n
        squares += n * n
    return squares / total


@_compiled
def _part(ranks, low, pixels, spare):
    """Put the pixels up to a rank before the others, in their order; return their number."""
    n_low = n_high = 0
    for i in range(len(pixels)):
        p = pixels[i]
        if ranks[p] <= low:
            pixels[n_low] = p
            n_low += 1
        else:
            spare[n_high] = p
            n_high += 1
    for i in range(n_high):
        pixels[n_low + i] = spare[i]
    return n_low


@_compiled
def _below(state, n):
    """Draw a whole number from 0 to n - 1, n ≤ 2^32."""
    state[0] += _GOLDEN
    return np.int64(((_mixed(state[0]) >> _32) * np.uint64(n)) >> _32)


@_compiled
def _mixed(bits):
    """Spread 64 bits over each other: the output function of SplitMix64 (Steele et al. 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    return bits ^ (bits >> np.uint64(31))
