"""`tally verify`: recount the log in plain Python, independently of the folds, and compare.

`run` reads Kafka and ClickHouse; `recount(records)` is the count alone, a pure function of records from anywhere.
Nothing here imports the folds or the event contract: the rules are written a second time, so that a mistake in the
first version shows as a difference. docs/verify.md lists what is compared.
"""

from verify.records import Record
from verify.recount import Options, Recount, recount
from verify.run import run
from verify.time_range import TimeRange
from verify.verdict import Difference, TableResult, TopicResult, Verdict

__all__ = [
    "Difference",
    "Options",
    "Record",
    "Recount",
    "TableResult",
    "TimeRange",
    "TopicResult",
    "Verdict",
    "recount",
    "run",
]
