"""`tally verify`, wired to the settings."""

from contextlib import closing

from deploy.connections import report_client
from deploy.settings import Settings
from verify import run
from verify.log_recount import OnProgress
from verify.time_range import TimeRange
from verify.verdict import Verdict


def verify(
    settings: Settings,
    *,
    span: TimeRange = TimeRange(),  # noqa: B008 - immutable
    wait_seconds: float = 60.0,
    show: int = 20,
    on_progress: OnProgress = lambda _what, _done, _total: None,
) -> Verdict:
    """Recount the log of these settings and compare it with the tables; other arguments as in `verify.run`."""
    with closing(report_client(settings)) as client:
        return run(
            client,
            settings.kafka_bootstrap,
            settings.client_options(),
            now=settings.clock(),
            block_size=settings.dedup_block_size,
            blocks=settings.dedup_blocks,
            span=span,
            wait_seconds=wait_seconds,
            show=show,
            on_progress=on_progress,
        )
