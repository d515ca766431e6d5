"""Encodes the values of a column and concatenates them: `aggregators.cell_rows.join_in_python` in one pass."""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject


def join(list keys, Py_ssize_t at, encode):
    """Return the concatenated `encode(key[at])` of each key; equal values are encoded once."""
    cdef dict known = {}
    cdef list parts = []
    cdef tuple key
    cdef object value, text = b"", latest = None
    cdef PyObject *found
    for key in keys:
        if not 0 <= at < len(key):
            raise IndexError(f"index {at} is out of range for a key of {len(key)} values")
        value = key[at]
        if value is not latest or latest is None:
            found = PyDict_GetItemWithError(known, value)
            if found == NULL:
                text = known[value] = encode(value)
            else:
                text = <object>found
            latest = value
        parts.append(text)
    return b"".join(parts)
