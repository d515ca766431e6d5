"""Adds amounts to cells: `aggregators.increments.add_in_numpy` in one pass."""


def add(long long[:, ::1] counts, unsigned char[::1] changed, const long long[:] rows, const long long[:] offsets,
        const long long[:, :] amounts):
    """Add to each row the amounts of events with offsets after the row's stamp, in the given order."""
    cdef Py_ssize_t each, column, row, width = counts.shape[1]
    if not (rows.shape[0] == offsets.shape[0] == amounts.shape[0] and amounts.shape[1] == width):
        raise ValueError("each event needs a row, an offset and all amounts")
    if changed.shape[0] != counts.shape[0]:
        raise ValueError("changed needs one element per row")
    for each in range(rows.shape[0]):
        row = rows[each]
        if not 0 <= row < counts.shape[0]:
            raise IndexError(f"row {row} is out of range")
        if offsets[each] > counts[row, 0]:
            for column in range(1, width):
                counts[row, column] += amounts[each, column]
            counts[row, 0] = offsets[each]
            changed[row] = 1
