"""Who did what on which day, as sets of people: distinct people of any days are the union of their days' sets.

ClickHouse says who was there (presence.sql), each day once while it does not change; sets are put together in numpy.
"""
