"""Values of a column encoded one behind the other: what `aggregators.cell_rows.join_in_python` does, in one pass."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from libc.string cimport memcpy

cdef enum:
    AT_FIRST = 64  # bytes a row


cdef class Buffer:
    """Bytes that grow at their end."""

    cdef char *bytes
    cdef Py_ssize_t used, room

    def __cinit__(self, Py_ssize_t room):
        self.make_room(room)

    def __dealloc__(self):
        PyMem_Free(self.bytes)

    cdef int make_room(self, Py_ssize_t room) except -1:
        cdef void *found = PyMem_Realloc(self.bytes, room)
        if found == NULL:
            raise MemoryError
        self.bytes, self.room = <char *>found, room
        return 0

    cdef int append(self, bytes text) except -1:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(text)
        if size > self.room - self.used:
            self.make_room(2 * (self.used + size))
        memcpy(self.bytes + self.used, PyBytes_AS_STRING(text), size)
        self.used += size
        return 0


def join(list keys, Py_ssize_t at, encode):
    """`encode(key[at])` of each key, one behind the other; equal values are encoded once."""
    cdef dict known = {}
    cdef Buffer joined = Buffer(AT_FIRST + 16 * len(keys))
    cdef tuple key
    cdef bytes text = b""
    cdef object value, latest = None
    cdef PyObject *found
    for key in keys:
        if not 0 <= at < len(key):
            raise IndexError(f"{at} is no place in a key of {len(key)}")
        value = key[at]
        if value is not latest or latest is None:
            found = PyDict_GetItemWithError(known, value)
            if found == NULL:
                text = known[value] = encode(value)
            else:
                text = <bytes>found
            latest = value
        joined.append(text)
    return PyBytes_FromStringAndSize(joined.bytes, joined.used)
