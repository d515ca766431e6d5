"""Amounts added to cells: what `aggregators.page_cache.add_in_numpy` does, in one pass."""


def add(long long[:, ::1] counts, unsigned char[::1] changed, const long long[:] rows, const long long[:] offsets,
        const long long[:, :] amounts):
    """Add to each row what an event at an offset beyond the row's stamp brings, in this order."""
    cdef Py_ssize_t each, column, row, width = counts.shape[1]
    if not (rows.shape[0] == offsets.shape[0] == amounts.shape[0] and amounts.shape[1] == width):
        raise ValueError("a row, an offset and all amounts for each event")
    if changed.shape[0] != counts.shape[0]:
        raise ValueError("a mark for each row")
    for each in range(rows.shape[0]):
        row = rows[each]
        if not 0 <= row < counts.shape[0]:
            raise IndexError(f"{row} is no row")
        if offsets[each] > counts[row, 0]:
            for column in range(1, width):
                counts[row, column] += amounts[each, column]
            counts[row, 0] = offsets[each]
            changed[row] = 1
