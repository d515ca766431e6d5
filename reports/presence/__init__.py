"""Presence: who was active in which way on which day, as sets of people. Distinct people are unions of days' sets.

ClickHouse reports who was active (presence.sql), once per day while the day does not change; numpy combines the sets.
"""
