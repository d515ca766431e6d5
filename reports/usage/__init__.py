"""Usage and costs: the tables behind the API's usage and cost reports.

Moments are UTC. Usage counts if a spend report counts it (`reported` in the view spend). Groups are those held on the
day of the usage.
"""
