"""Engagement: the lists behind the API's engagement endpoints, each one SQL file and one typed function.

Days are UTC, both ends included. Only people count (actor type `user`), with the groups that they were in on the day.
"""
