"""Finds the fields of one plain token event in its bytes.

Plain means: one JSON object of fields that a TokenUsed has, each at most once, in any order; texts that end at their
next quote, objects that end at their next brace, words (null), counts of plain digits. Everything else is declined, not
rejected: the decoder decides what it means. No byte at or after `end` is read.
"""

from libc.string cimport memchr, memcmp, memset

from aggregators.compiled.names cimport same

cdef enum:
    MOST_COUNT = 1_000_000_000  # tally_client.events.envelope.MAX_COUNT
    MINUTES_A_DAY = 1440

cdef tuple QUOTED = (
    b'"event_id"', b'"occurred_at"', b'"request_id"', b'"organization_id"', b'"actor"', b'"attribution"', b'"type"',
    b'"product"', b'"surface"', b'"funding"', b'"model"', b'"service_tier"', b'"context_window"', b'"inference_geo"',
    b'"speed"', b'"uncached_input_tokens"', b'"cache_read_input_tokens"', b'"cache_creation_5m_input_tokens"',
    b'"cache_creation_1h_input_tokens"', b'"output_tokens"', b'"web_search_requests"',
)
cdef const char *NAME[FIELDS]
cdef Py_ssize_t NAME_SIZE[FIELDS]
cdef int BEFORE_MONTH[13]
cdef int DAYS_OF_MONTH[13]


cdef class Scan:
    """The position and size of each field's value, and the counts; the size of an absent field is 0."""

    def __cinit__(self):
        cdef int field
        for field in range(FIELDS):
            self.order[field] = field

    cdef bint fields_of(self, const unsigned char *at, Py_ssize_t size) noexcept nogil:
        """Return True if these bytes are plain; then `at`, `size` and `count` describe this event."""
        cdef const unsigned char *end = at + size
        cdef int place = 0, field
        for field in range(FIELDS):
            self.at[field] = at
        memset(self.size, 0, sizeof(self.size))
        memset(self.count, 0, sizeof(self.count))
        at = opened(at, end, c'{')
        while at != NULL:
            at = blanks(at, end)
            field = self.field_at(at, end, place)
            if field < 0 or self.size[field]:
                return False
            at = opened(at + NAME_SIZE[field], end, c':')
            if at == NULL:
                return False
            at = blanks(at, end)
            self.at[field] = at
            at = self.count_at(field, at, end) if field >= UNCACHED else value_end(at, end)
            if at == NULL:
                return False
            self.size[field] = at - self.at[field]
            at = blanks(at, end)
            if at < end and at[0] == c'}':
                return blanks(at + 1, end) == end
            at = opened(at, end, c',')
            place += 1
        return False

    cdef int field_at(self, const unsigned char *at, const unsigned char *end, int place) noexcept nogil:
        """Return the field whose name is here, most likely the one that was here last time; -1 if it is not a name."""
        cdef int field
        if place >= FIELDS:
            return -1
        if is_at(self.order[place], at, end):
            return self.order[place]
        for field in range(FIELDS):
            if is_at(field, at, end):
                self.order[place] = field
                return field
        return -1

    cdef const unsigned char *count_at(self, int field, const unsigned char *at, const unsigned char *end) noexcept nogil:
        """Read a whole number of at most MOST_COUNT and return its end; NULL if there is none."""
        cdef long long number = 0
        cdef const unsigned char *first = at
        while at < end and c'0' <= at[0] <= c'9':
            number = number * 10 + at[0] - c'0'
            at += 1
            if number > MOST_COUNT or (first[0] == c'0' and at - first > 1):
                return NULL
        self.count[field] = number
        return at if at > first else NULL

    cdef bint is_text(self, int field, Py_ssize_t least, Py_ssize_t most) noexcept nogil:
        """Return True if a field is a text of `least` to `most` characters, all ASCII without escapes."""
        cdef Py_ssize_t size = self.size[field] - 2
        return least <= size <= most and self.at[field][0] == c'"' and is_simple(self.at[field], self.size[field])

    cdef bint is_id(self, int field) noexcept nogil:
        """Return True if a field is a text that tally_client.validity.is_uuid accepts."""
        cdef const unsigned char *at = self.at[field] + 1
        cdef bint is_nil = True
        cdef int place
        if self.size[field] != 38 or self.at[field][0] != c'"':
            return False
        for place in range(36):
            if place == 8 or place == 13 or place == 18 or place == 23:
                if at[place] != c'-':
                    return False
            elif not (c'0' <= at[place] <= c'9' or c'a' <= at[place] <= c'f'):
                return False
            elif at[place] != c'0':
                is_nil = False
        return not is_nil

    cdef bint is_whole(self, int field) noexcept nogil:
        """Return True if the bytes found must be the whole value of a field, given that the record is valid JSON."""
        cdef const unsigned char *at = self.at[field]
        cdef Py_ssize_t size = self.size[field], each, quotes = 0, braces = 0
        for each in range(size):
            quotes += at[each] == c'"'
            braces += at[each] == c'{'
        return size == 0 or (is_simple(at, size) and quotes % 2 == 0 and braces == (at[0] == c'{'))

    cdef long long minute(self) noexcept nogil:
        """Return the minute number of `occurred_at`; -1 unless it is in UTC, with at most microseconds."""
        cdef const unsigned char *at = self.at[OCCURRED_AT]
        cdef const unsigned char *end = at + self.size[OCCURRED_AT]
        cdef long long year, month, day, hour, minute, days
        if end - at < 22 or at[0] != c'"' or at[5] != c'-' or at[8] != c'-' or at[11] != c'T' or at[14] != c':' \
                or at[17] != c':':
            return -1
        year, month, day = digits(at + 1, 4), digits(at + 6, 2), digits(at + 9, 2)
        hour, minute = digits(at + 12, 2), digits(at + 15, 2)
        if not (1 <= year and 1 <= month <= 12 and 0 <= hour <= 23 and 0 <= minute <= 59):
            return -1
        if not (0 <= digits(at + 18, 2) <= 59 and is_utc(at + 20, end)):
            return -1
        if not 1 <= day <= DAYS_OF_MONTH[month] + (month == 2 and is_leap(year)):
            return -1
        days = (year - 1) * 365 + (year - 1) // 4 - (year - 1) // 100 + (year - 1) // 400
        days += BEFORE_MONTH[month] + (month > 2 and is_leap(year)) + day
        return days * MINUTES_A_DAY + hour * 60 + minute


cdef inline bint is_leap(long long year) noexcept nogil:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


cdef inline long long digits(const unsigned char *at, int count) noexcept nogil:
    """Return the number in `count` digits; -1 if one of them is not a digit."""
    cdef long long number = 0
    cdef int each
    for each in range(count):
        if not c'0' <= at[each] <= c'9':
            return -1
        number = number * 10 + at[each] - c'0'
    return number


cdef bint is_utc(const unsigned char *at, const unsigned char *end) noexcept nogil:
    """Return True if this is the text of a time after its seconds: an optional fraction, then Z or +00:00."""
    cdef const unsigned char *first = at + 1
    if at < end and at[0] == c'.':
        at += 1
        while at < end and c'0' <= at[0] <= c'9':
            at += 1
        if not 1 <= at - first <= 6:
            return False
    return (end - at == 2 and memcmp(at, b'Z"', 2) == 0) or (end - at == 7 and memcmp(at, b'+00:00"', 7) == 0)


cdef inline bint is_at(int field, const unsigned char *at, const unsigned char *end) noexcept nogil:
    return end - at >= NAME_SIZE[field] and same(at, <const unsigned char *>NAME[field], NAME_SIZE[field])


cdef inline const unsigned char *blanks(const unsigned char *at, const unsigned char *end) noexcept nogil:
    """Skip the whitespace that JSON allows between tokens."""
    while at < end and (at[0] == c' ' or at[0] == c'\n' or at[0] == c'\r' or at[0] == c'\t'):
        at += 1
    return at


cdef inline const unsigned char *opened(
    const unsigned char *at, const unsigned char *end, unsigned char mark
) noexcept nogil:
    """Skip whitespace and this mark; return NULL if the mark is not here."""
    at = blanks(at, end)
    return at + 1 if at < end and at[0] == mark else NULL


cdef const unsigned char *value_end(const unsigned char *at, const unsigned char *end) noexcept nogil:
    """Return the end of the plain value that begins here; NULL if there is none."""
    cdef const unsigned char *first = at
    if at >= end:
        return NULL
    if at[0] == c'"' or at[0] == c'{':
        at = <const unsigned char *>memchr(at + 1, c'"' if at[0] == c'"' else c'}', end - at - 1)
        return at + 1 if at != NULL else NULL
    while at < end and c'a' <= at[0] <= c'z':
        at += 1
    return at if at > first else NULL


cdef bint is_simple(const unsigned char *at, Py_ssize_t size) noexcept nogil:
    """Return True if all of these bytes are printable ASCII and none is a backslash."""
    cdef Py_ssize_t each
    cdef unsigned char odd = 0
    for each in range(size):
        odd |= (at[each] < 0x20) | (at[each] > 0x7e) | (at[each] == c'\\')
    return odd == 0


def _prepare():
    """Fill the module's tables."""
    cdef int field, month
    for field in range(FIELDS):
        NAME[field] = <const char *><bytes>QUOTED[field]
        NAME_SIZE[field] = len(<bytes>QUOTED[field])
    BEFORE_MONTH[1] = 0
    for month, days in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        DAYS_OF_MONTH[month] = days
        if month < 12:
            BEFORE_MONTH[month + 1] = BEFORE_MONTH[month] + <int>days


_prepare()
