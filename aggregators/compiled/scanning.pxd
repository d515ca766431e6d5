cdef enum:
    EVENT_ID
    OCCURRED_AT
    REQUEST_ID
    ORGANIZATION
    ACTOR
    ATTRIBUTION
    TYPE  # from here to SPEED: the fields that decide the terms of a cell
    PRODUCT
    SURFACE
    FUNDING
    MODEL
    SERVICE_TIER
    CONTEXT_WINDOW
    INFERENCE_GEO
    SPEED
    UNCACHED  # counts from here on
    CACHE_READ
    WRITE_5M
    WRITE_1H
    OUTPUT
    SEARCHES
    FIELDS


cdef class Scan:
    cdef const unsigned char *at[FIELDS]
    cdef Py_ssize_t size[FIELDS]
    cdef long long count[FIELDS]
    cdef int order[FIELDS]
    cdef bint fields_of(self, const unsigned char *at, Py_ssize_t size) noexcept nogil
    cdef int field_at(self, const unsigned char *at, const unsigned char *end, int place) noexcept nogil
    cdef const unsigned char *count_at(self, int field, const unsigned char *at, const unsigned char *end) noexcept nogil
    cdef bint is_text(self, int field, Py_ssize_t least, Py_ssize_t most) noexcept nogil
    cdef bint is_id(self, int field) noexcept nogil
    cdef bint is_whole(self, int field) noexcept nogil
    cdef long long minute(self) noexcept nogil
