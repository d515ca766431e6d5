"""`tally verify`: recount the log in plain Python, independently of the folds, and compare.

`run(settings)` does all of it against Kafka and ClickHouse; `recount(records)` is the count alone, a pure function
over records from anywhere. Nothing here imports the folds or the event contract: the rules are written down a second
time, so that a mistake in the first shows as a difference. docs/verify.md says what is compared.
"""

from deploy.verify.records import Record
from deploy.verify.recount import Options, Recount, recount
from deploy.verify.run import run
from deploy.verify.span import Span
from deploy.verify.verdict import Difference, TableResult, TopicResult, Verdict

__all__ = [
    "Difference",
    "Options",
    "Record",
    "Recount",
    "Span",
    "TableResult",
    "TopicResult",
    "Verdict",
    "recount",
    "run",
]
