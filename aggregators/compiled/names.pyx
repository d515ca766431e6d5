"""Byte strings and their numbers: 0, 1, 2, ... in the order in which they were first seen.

A hash only says where to look: two strings have one number if, and only if, all their bytes are equal.
"""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

cdef enum:
    FIRST_ROOM = 64
    MOST_TEXT = 0x40000000


cdef inline uint64_t mixed(uint64_t hashed, uint64_t word) noexcept nogil:
    hashed = (hashed ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return hashed ^ (hashed >> 32)


cdef uint32_t hash_of(const unsigned char *at, Py_ssize_t size, uint64_t seed) noexcept nogil:
    """Eight bytes at a time. The seed is another one in each process, so nobody can prepare strings that collide."""
    cdef uint64_t hashed = seed ^ <uint64_t>size, word
    while size >= 8:
        memcpy(&word, at, 8)
        hashed = mixed(hashed, word)
        at += 8
        size -= 8
    if size:
        word = 0
        memcpy(&word, at, size)
        hashed = mixed(hashed, word)
    return <uint32_t>(mixed(hashed, seed) >> 16)


cdef class Names:
    """Entries stand one behind the other and none is taken out; the slots that lead to them are at most half full."""

    def __cinit__(self):
        self.seed = <uint64_t>hash(b"names")
        self.grow(FIRST_ROOM)
        self.ends[0] = 0

    def __dealloc__(self):
        PyMem_Free(self.texts)
        PyMem_Free(self.ends)
        PyMem_Free(self.hashes)
        PyMem_Free(self.slots)

    cdef Py_ssize_t find(self, const unsigned char *at, Py_ssize_t size) noexcept nogil:
        """The number of these bytes; -1 if they have none."""
        cdef uint32_t hashed = hash_of(at, size, self.seed), entry
        cdef Py_ssize_t slot = hashed & self.mask
        while True:
            entry = self.slots[slot]
            if entry == 0:
                return -1
            if self.hashes[entry - 1] == hashed and self.is_text(entry - 1, at, size):
                return entry - 1
            slot = (slot + 1) & self.mask

    cdef Py_ssize_t number(self, const unsigned char *at, Py_ssize_t size) except -1:
        """The number of these bytes, a new one if they had none."""
        cdef Py_ssize_t found = self.find(at, size)
        return found if found >= 0 else self.add(at, size)

    cdef const unsigned char *text(self, Py_ssize_t number) except NULL:
        """The bytes of a number."""
        if not 0 <= number < self.count:
            raise IndexError(f"{number} is nobody's number")
        return self.texts + self.ends[number]

    cdef bint is_text(self, Py_ssize_t number, const unsigned char *at, Py_ssize_t size) noexcept nogil:
        cdef uint32_t start = self.ends[number]
        return self.ends[number + 1] - start == <size_t>size and memcmp(self.texts + start, at, size) == 0

    cdef Py_ssize_t add(self, const unsigned char *at, Py_ssize_t size) except -1:
        cdef Py_ssize_t used = self.ends[self.count]
        if size > MOST_TEXT - used:
            raise OverflowError("more bytes than names may have")
        if self.count == self.room:
            self.grow(2 * self.room)
        if used + size > self.text_room:
            self.texts = <unsigned char *>resized(self.texts, 2 * (used + size))
            self.text_room = 2 * (used + size)
        memcpy(self.texts + used, at, size)
        self.hashes[self.count] = hash_of(at, size, self.seed)
        self.ends[self.count + 1] = <uint32_t>(used + size)
        self.lead_to(self.count)
        self.count += 1
        return self.count - 1

    cdef int grow(self, Py_ssize_t room) except -1:
        cdef Py_ssize_t each
        self.ends = <uint32_t *>resized(self.ends, 4 * (room + 1))
        self.hashes = <uint32_t *>resized(self.hashes, 4 * room)
        self.slots = <uint32_t *>resized(self.slots, 8 * room)
        self.room = room
        self.mask = 2 * room - 1
        memset(self.slots, 0, 8 * room)
        for each in range(self.count):
            self.lead_to(each)
        return 0

    cdef void lead_to(self, Py_ssize_t number) noexcept nogil:
        cdef Py_ssize_t slot = self.hashes[number] & self.mask
        while self.slots[slot]:
            slot = (slot + 1) & self.mask
        self.slots[slot] = <uint32_t>(number + 1)


cdef void *resized(void *memory, size_t size) except NULL:
    """What it held, in memory of that size."""
    cdef void *found = PyMem_Realloc(memory, size)
    if found == NULL:
        raise MemoryError
    return found
