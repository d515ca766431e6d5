"""Byte strings and their numbers: 0, 1, 2, ... in the order in which they were first seen.

A hash only shows where to look: two strings have the same number if, and only if, all their bytes are equal.
"""

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef enum:
    FIRST_ROOM = 64
    MOST_TEXT = 0x40000000


cdef inline uint64_t mixed(uint64_t hashed, uint64_t word) noexcept nogil:
    hashed = (hashed ^ word) * <uint64_t>0x9E3779B97F4A7C15
    return hashed ^ (hashed >> 32)


cdef uint32_t hash_of(const unsigned char *at, Py_ssize_t size, uint64_t seed) noexcept nogil:
    """Hash eight bytes at a time. The seed differs in each process, so no one can prepare strings that collide."""
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
    """An append-only hash table: entries are contiguous, and the slots that point to them are at most half full.

    With a `width`, all strings have that size, so that the start of one is computed and not looked up.
    """

    def __cinit__(self, Py_ssize_t width=0):
        self.seed = <uint64_t>hash(b"names")
        self.width = width
        self.texts = <unsigned char *>resized(NULL, FIRST_ROOM)
        self.text_room = FIRST_ROOM
        self.grow(FIRST_ROOM)

    def __dealloc__(self):
        PyMem_Free(self.texts)
        PyMem_Free(self.ends)
        PyMem_Free(self.slots)

    cdef Py_ssize_t find(self, const unsigned char *at, Py_ssize_t size) noexcept nogil:
        """Return the number of these bytes; -1 if they have none."""
        cdef uint32_t hashed = hash_of(at, size, self.seed)
        cdef Py_ssize_t place = hashed & self.mask
        cdef Slot slot
        while True:
            slot = self.slots[place]
            if slot.entry == 0:
                return -1
            if slot.hashed == hashed and self.is_text(slot.entry - 1, at, size):
                return slot.entry - 1
            place = (place + 1) & self.mask

    cdef Py_ssize_t number(self, const unsigned char *at, Py_ssize_t size) except -1:
        """Return the number of these bytes, a new one if they had none."""
        cdef Py_ssize_t found = self.find(at, size)
        return found if found >= 0 else self.add(at, size)

    cdef const unsigned char *text(self, Py_ssize_t number) except NULL:
        """Return the bytes of a number."""
        if not 0 <= number < self.count:
            raise IndexError(f"number {number} is not assigned")
        return self.texts + self.start(number)

    cdef Py_ssize_t start(self, Py_ssize_t number) noexcept nogil:
        return number * self.width if self.width else self.ends[number]

    cdef bint is_text(self, Py_ssize_t number, const unsigned char *at, Py_ssize_t size) noexcept nogil:
        cdef Py_ssize_t start = self.start(number)
        return self.start(number + 1) - start == size and same(self.texts + start, at, size)

    cdef Py_ssize_t add(self, const unsigned char *at, Py_ssize_t size) except -1:
        cdef Py_ssize_t used = self.start(self.count)
        if self.width and size != self.width:
            raise ValueError(f"{size} bytes where all have {self.width}")
        if size > MOST_TEXT - used:
            raise OverflowError("more bytes than names may have")
        if self.count == self.room:
            self.grow(2 * self.room)
        if used + size > self.text_room:
            self.texts = <unsigned char *>resized(self.texts, 2 * (used + size))
            self.text_room = 2 * (used + size)
        memcpy(self.texts + used, at, size)
        if not self.width:
            self.ends[self.count + 1] = <uint32_t>(used + size)
        self.lead_to(self.count, hash_of(at, size, self.seed))
        self.count += 1
        return self.count - 1

    cdef int grow(self, Py_ssize_t room) except -1:
        cdef Py_ssize_t each, start
        if not self.width:
            self.ends = <uint32_t *>resized(self.ends, 4 * (room + 1))
            self.ends[0] = 0
        self.slots = <Slot *>resized(self.slots, 2 * room * sizeof(Slot))
        self.room, self.mask = room, 2 * room - 1
        memset(self.slots, 0, 2 * room * sizeof(Slot))
        for each in range(self.count):
            start = self.start(each)
            self.lead_to(each, hash_of(self.texts + start, self.start(each + 1) - start, self.seed))
        return 0

    cdef void lead_to(self, Py_ssize_t number, uint32_t hashed) noexcept nogil:
        cdef Py_ssize_t place = hashed & self.mask
        while self.slots[place].entry:
            place = (place + 1) & self.mask
        self.slots[place] = Slot(hashed, <uint32_t>(number + 1))


cdef void *resized(void *memory, size_t size) except NULL:
    """Reallocate memory to this size, keeping its content."""
    cdef void *found = PyMem_Realloc(memory, size)
    if found == NULL:
        raise MemoryError
    return found


def first_places(const long long[:] numbers):
    """Return the index of the first occurrence of each distinct number, in order."""
    cdef Names seen = Names(sizeof(long long))
    cdef Py_ssize_t place
    cdef long long number
    cdef list found = []
    for place in range(numbers.shape[0]):
        number = numbers[place]
        if seen.number(<const unsigned char *>&number, sizeof(number)) == len(found):
            found.append(place)
    return found
