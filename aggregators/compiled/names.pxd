from libc.stdint cimport uint32_t, uint64_t


cdef class Names:
    cdef uint64_t seed
    cdef unsigned char *texts
    cdef uint32_t *ends
    cdef uint32_t *hashes
    cdef uint32_t *slots
    cdef Py_ssize_t text_room
    cdef Py_ssize_t room
    cdef Py_ssize_t mask
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t find(self, const unsigned char *at, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t number(self, const unsigned char *at, Py_ssize_t size) except -1
    cdef const unsigned char *text(self, Py_ssize_t number) except NULL
    cdef bint is_text(self, Py_ssize_t number, const unsigned char *at, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t add(self, const unsigned char *at, Py_ssize_t size) except -1
    cdef int grow(self, Py_ssize_t room) except -1
    cdef void lead_to(self, Py_ssize_t number) noexcept nogil
