"""The reference model: the rules that every recount of `tests/reference/` applies, written down a second time.

Events as they were sent go in; facts of usage, prices, terms, charges and groups come out. A recount of one surface (a
report, a response, a page) is a projection of these. The model is written from docs/ alone, each rule with its source.
It imports the standard library and nothing of Tally; of Tally's files it reads the price list, as data.
"""
