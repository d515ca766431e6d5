"""Who used how much, and what it cost: the tables behind the API's usage and cost reports.

Moments are UTC. What counts is what a spend report counts (the view spend's `reported`). Groups are those held on the
day of the usage.
"""
