"""Token events from bytes to columns, without an object for any of them.

A reader has no rules for organizations, actors, terms and attributions. It remembers their bytes from records that the
decoder and the fold accepted (`learn`), together with the result for each part. It reads a record if it remembers every
such part, and declines any other. Each part therefore has the meaning that the fold gave it.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport UINT32_MAX, uint32_t
from libc.string cimport memcpy

from aggregators.compiled.names cimport Names
from aggregators.compiled.scanning cimport (
    ACTOR, ATTRIBUTION, CACHE_READ, EVENT_ID, ORGANIZATION, OUTPUT, REQUEST_ID, SEARCHES, SPEED, TYPE, UNCACHED,
    WRITE_1H, WRITE_5M, Scan,
)

cpdef enum:
    # The columns of a record that was read. A declined record has only its offset, and -1 as its spend cell.
    OFFSET
    IDENTITY
    PAYLOAD
    ATTRIBUTED
    SPEND_PAGE
    SPEND_CELL
    LIVE_PAGE
    LIVE_CELL  # -1: too old to count as live
    SPENT  # the amounts of its spend cell
    LIVE = SPENT + 10  # the amounts of its minute cell
    COLUMNS = LIVE + 8

cdef enum:
    LONGEST = 4096  # longer parts are not remembered
    JOINED = 9 * 256
    KIND_SIZE = 10
    ID_SIZE = 36
    IDENTITY_SIZE = KIND_SIZE + 2 * ID_SIZE
    NO_ROW = -1  # aggregators.increments.NO_ROW
    ASKED = -2

cdef struct Page:
    uint32_t organization
    uint32_t window

cdef struct LiveCell:
    uint32_t page
    uint32_t terms

cdef struct SpendCell:
    uint32_t page
    uint32_t terms
    uint32_t actor
    uint32_t attribution


cdef class TokenReader:
    """Reads the token events of one source. Its numbers are valid only within this reader."""

    cdef Scan scan
    cdef Names organizations, actors, terms, attributions, pages, spend, live
    cdef list organization_values, actor_values, terms_values, attribution_values, page_keys
    cdef long long earliest, before_1970, oldest_live
    cdef unsigned char joined[JOINED]

    def __init__(self, earliest, before_1970, oldest_live):
        self.scan = Scan()
        self.organizations, self.actors, self.terms, self.attributions = Names(), Names(), Names(), Names()
        self.pages, self.spend, self.live = Names(sizeof(Page)), Names(sizeof(SpendCell)), Names(sizeof(LiveCell))
        self.organization_values, self.actor_values, self.terms_values, self.attribution_values = [], [], [], []
        self.page_keys = []
        self.earliest, self.before_1970, self.oldest_live = earliest, before_1970, oldest_live

    # -- reading -------------------------------------------------------------------------------------------

    def read(self, records, long long[:, ::1] into, decline):
        """Fill a row of `into` for each record; call `decline(position)` immediately for one that is not read.

        The callback may `learn` from the record, so that the next record with the same parts is read.
        """
        cdef Py_ssize_t position = 0
        if into.shape[1] != COLUMNS:
            raise ValueError(f"into has {into.shape[1]} columns instead of {COLUMNS}")
        for record in records:
            into[position, OFFSET] = record.offset
            value = record.value
            if not PyBytes_CheckExact(value) or not self.read_one(value, record.timestamp, &into[position, 0]):
                into[position, SPEND_CELL] = -1
                decline(position)
            position += 1

    cdef bint read_one(self, bytes value, long long log_ms, long long *into) except -1:
        cdef Scan scan = self.scan
        cdef long long log_minute = log_ms // 60_000, minute
        cdef Py_ssize_t organization, actor, terms, attribution
        if not scan.fields_of(<const unsigned char *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)):
            return False
        if not (scan.is_id(EVENT_ID) and scan.is_id(ORGANIZATION) and scan.is_text(REQUEST_ID, 1, 128)):
            return False
        minute = scan.minute()
        if log_ms < 0 or minute > UINT32_MAX or not self.earliest <= minute <= log_minute + self.before_1970:
            return False
        organization, actor = self.part(self.organizations, ORGANIZATION), self.part(self.actors, ACTOR)
        terms, attribution = self.terms_of_scan(), self.part(self.attributions, ATTRIBUTION)
        if organization < 0 or actor < 0 or terms < 0 or attribution < 0:
            return False
        into[IDENTITY] = self.identity()
        into[PAYLOAD] = hash(value)
        into[ATTRIBUTED] = attribution
        self.spend_into(into, SpendCell(self.page(organization, minute // 60), terms, actor, attribution))
        if minute < log_minute + self.oldest_live:
            into[LIVE_CELL] = -1
        else:
            self.live_into(into, LiveCell(self.page(organization, minute), terms))
        return True

    cdef Py_hash_t identity(self) except? -1:
        """Return aggregators.record_decoder.identity_of this token event."""
        cdef char text[IDENTITY_SIZE]
        memcpy(text, b"token.used", KIND_SIZE)
        memcpy(text + KIND_SIZE, self.scan.at[ORGANIZATION] + 1, ID_SIZE)
        memcpy(text + KIND_SIZE + ID_SIZE, self.scan.at[EVENT_ID] + 1, ID_SIZE)
        return hash(PyUnicode_DecodeASCII(text, IDENTITY_SIZE, NULL))

    cdef Py_ssize_t part(self, Names known, int field) noexcept nogil:
        return known.find(self.scan.at[field], self.scan.size[field])

    cdef Py_ssize_t terms_of_scan(self) noexcept nogil:
        cdef Py_ssize_t size = self.join()
        return self.terms.find(self.joined, size) if size else -1

    cdef Py_ssize_t join(self) noexcept nogil:
        """Join the parts of the terms, each followed by a zero byte, which no learned part contains; return the size."""
        cdef Py_ssize_t used = 0, size
        cdef int field
        for field in range(TYPE, SPEED + 1):
            size = self.scan.size[field]
            if size >= JOINED - used:
                return 0
            memcpy(self.joined + used, self.scan.at[field], size)
            self.joined[used + size] = 0
            used += size + 1
        return used

    cdef uint32_t page(self, Py_ssize_t organization, long long window) except? 0xffffffff:
        cdef Page key = Page(<uint32_t>organization, <uint32_t>window)
        return <uint32_t>self.pages.number(<const unsigned char *>&key, sizeof(key))

    cdef int spend_into(self, long long *into, SpendCell key) except -1:
        cdef long long *count = self.scan.count
        into[SPEND_PAGE] = key.page
        into[SPEND_CELL] = self.spend.number(<const unsigned char *>&key, sizeof(key))
        into += SPENT
        into[0], into[1], into[2], into[3], into[4] = 0, 1, count[UNCACHED], count[CACHE_READ], count[WRITE_5M]
        into[5], into[6], into[7], into[8], into[9] = count[WRITE_1H], count[OUTPUT], count[SEARCHES], 0, 0
        return 0

    cdef int live_into(self, long long *into, LiveCell key) except -1:
        cdef long long *count = self.scan.count
        into[LIVE_PAGE] = key.page
        into[LIVE_CELL] = self.live.number(<const unsigned char *>&key, sizeof(key))
        into += LIVE
        into[0], into[1], into[2], into[3], into[4] = 0, 1, 1, count[UNCACHED], count[CACHE_READ]
        into[5], into[6], into[7] = count[WRITE_5M], count[WRITE_1H], count[OUTPUT]
        return 0

    # -- learning ------------------------------------------------------------------------------------------

    def learn(self, bytes value, organization, actor, terms, attribution):
        """Remember the fold's result for each part of a token event that it accepted."""
        cdef int field
        cdef Py_ssize_t size
        if not self.scan.fields_of(<const unsigned char *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)):
            return
        for field in range(ORGANIZATION, SPEED + 1):
            if self.scan.size[field] > LONGEST or not self.scan.is_whole(field):
                return
        size = self.join()
        if not size:
            return
        remember(self.organizations, ORGANIZATION, self.scan, self.organization_values, organization)
        remember(self.actors, ACTOR, self.scan, self.actor_values, actor)
        remember(self.attributions, ATTRIBUTION, self.scan, self.attribution_values, attribution)
        if self.terms.number(self.joined, size) == len(self.terms_values):
            self.terms_values.append(terms)

    # -- names ---------------------------------------------------------------------------------------------

    @property
    def parts(self):
        """The number of remembered parts of records."""
        return self.organizations.count + self.actors.count + self.terms.count + self.attributions.count

    @property
    def spend_cells(self):
        """The number of numbered spend cells."""
        return self.spend.count

    @property
    def live_cells(self):
        """The number of numbered minute cells."""
        return self.live.count

    cpdef page_key(self, Py_ssize_t number):
        """Return (organization, window) of a page."""
        cdef Page page
        while len(self.page_keys) <= number:
            memcpy(&page, self.pages.text(len(self.page_keys)), sizeof(page))
            self.page_keys.append((self.organization_values[page.organization], page.window))
        return self.page_keys[number]

    cdef tuple spend_key(self, Py_ssize_t number):
        cdef SpendCell cell
        memcpy(&cell, self.spend.text(number), sizeof(cell))
        attributed, _ = self.attribution_values[cell.attribution]
        return self.page_key(cell.page), (*self.actor_values[cell.actor], *self.terms_values[cell.terms], attributed)

    cdef tuple live_key(self, Py_ssize_t number):
        cdef LiveCell cell
        memcpy(&cell, self.live.text(number), sizeof(cell))
        return self.page_key(cell.page), self.terms_values[cell.terms][:2]

    def unknown_spend(self, int[::1] rows, const long long[:] cells, const long long[:] offsets):
        """Return (first offset, number, page key, key) of each spend cell without a row, and mark it as requested."""
        cdef Py_ssize_t place
        return [(offsets[place], cells[place], *self.spend_key(cells[place])) for place in without_row(rows, cells)]

    def unknown_live(self, int[::1] rows, const long long[:] cells, const long long[:] offsets):
        """Return the same for minute cells."""
        cdef Py_ssize_t place
        return [(offsets[place], cells[place], *self.live_key(cells[place])) for place in without_row(rows, cells)]

    def attribution_rows(self, Py_ssize_t number):
        """Return the rows that an event adds with its attribution."""
        return self.attribution_values[number][1]


cdef list without_row(int[::1] rows, const long long[:] cells):
    cdef Py_ssize_t place, cell
    cdef list found = []
    for place in range(cells.shape[0]):
        cell = cells[place]
        if rows[cell] == NO_ROW:
            rows[cell] = ASKED
            found.append(place)
    return found


cdef int remember(Names known, int field, Scan scan, list values, value) except -1:
    if known.number(scan.at[field], scan.size[field]) == len(values):
        values.append(value)
    return 0
