"""`python -m tests.support.patient_worker worker`: a worker whose place in its group Kafka keeps for ten minutes.

A test that kills or freezes it takes as long as the machine lets it: after six seconds, as in operation, the place
could be free before the test looks at it.
"""

from cli.main import main
from streams.faust.app import SETTINGS

PATIENCE = 600

SETTINGS |= {"broker_session_timeout": PATIENCE, "broker_request_timeout": PATIENCE}
main()
