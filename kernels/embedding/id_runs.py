"""Positions grouped by id: a stable radix sort, whose cost does not depend on the vocabulary."""

from kernels._jit import jit

# Ids differ in their lowest 8 bits, then in the next: counting 256 digits fits in L1.
_DIGIT_BITS = 8
DIGITS = 1 << _DIGIT_BITS


@jit
def group(ids, vocabulary, work_order, work_counts, out_starts):
    """Sort positions by id, in their order where ids are equal.

    Returns which row of work_order holds them, how many runs of one id there are, and how long the
    longest is.

    ids         (P,) int64, each in [0, vocabulary)
    work_order  (2, P) int64
    work_counts (256,) int64
    out_starts  (P + 1,) int64; run r is places out_starts[r] to out_starts[r + 1] - 1

    P ceil(log256(vocabulary)) moves of 8 bytes: 20 us for 3200 ids of 50,000.
    """
    count = ids.size
    for position in range(count):
        work_order[0, position] = position
    source, shift = 0, 0
    while (vocabulary - 1) >> shift:
        for digit in range(DIGITS):
            work_counts[digit] = 0
        for position in range(count):
            work_counts[(ids[position] >> shift) & (DIGITS - 1)] += 1
        before = 0
        for digit in range(DIGITS):
            before, work_counts[digit] = before + work_counts[digit], before
        for place in range(count):
            position = work_order[source, place]
            digit = (ids[position] >> shift) & (DIGITS - 1)
            work_order[1 - source, work_counts[digit]] = position
            work_counts[digit] += 1
        source = 1 - source
        shift += _DIGIT_BITS
    runs = longest = begin = 0
    for place in range(count):
        if not place or ids[work_order[source, place]] != ids[work_order[source, place - 1]]:
            longest = max(longest, place - begin)
            out_starts[runs] = begin = place
            runs += 1
    out_starts[runs] = count
    return source, runs, max(longest, count - begin)


@jit
def id_of(grouped, run):
    """The id of a run; grouped  (ids, their order, where runs start)."""
    ids, order, starts = grouped
    return ids[order[starts[run]]]


@jit
def first_run(grouped, runs, place):
    """The first run that begins at `place` or behind it."""
    starts = grouped[2]
    low, high = 0, runs
    while low < high:
        middle = (low + high) >> 1
        if starts[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def first_run_of(grouped, runs, row):
    """The first run of the id `row` or a greater one."""
    low, high = 0, runs
    while low < high:
        middle = (low + high) >> 1
        if id_of(grouped, middle) < row:
            low = middle + 1
        else:
            high = middle
    return low
