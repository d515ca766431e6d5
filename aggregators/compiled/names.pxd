from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

cdef struct Slot:
    uint32_t hashed
    uint32_t entry  # number plus 1; 0 if the slot is empty


cdef class Names:
    cdef uint64_t seed
    cdef unsigned char *texts
    cdef uint32_t *ends
    cdef Slot *slots
    cdef Py_ssize_t width
    cdef Py_ssize_t text_room
    cdef Py_ssize_t room
    cdef Py_ssize_t mask
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t find(self, const unsigned char *at, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t number(self, const unsigned char *at, Py_ssize_t size) except -1
    cdef const unsigned char *text(self, Py_ssize_t number) except NULL
    cdef Py_ssize_t start(self, Py_ssize_t number) noexcept nogil
    cdef bint is_text(self, Py_ssize_t number, const unsigned char *at, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t add(self, const unsigned char *at, Py_ssize_t size) except -1
    cdef int grow(self, Py_ssize_t room) except -1
    cdef void lead_to(self, Py_ssize_t number, uint32_t hashed) noexcept nogil


cdef inline bint same(const unsigned char *one, const unsigned char *other, Py_ssize_t size) noexcept nogil:
    """Return True if `size` bytes are equal: memcmp, without a call for the short strings compared here."""
    cdef uint64_t word, other_word
    while size >= 8:
        memcpy(&word, one, 8)
        memcpy(&other_word, other, 8)
        if word != other_word:
            return False
        one += 8
        other += 8
        size -= 8
    while size > 0:
        if one[0] != other[0]:
            return False
        one += 1
        other += 1
        size -= 1
    return True
