"""The fold of each topic."""

from aggregators.activity import ActivityFold
from aggregators.directory import DirectoryFold, ProfileFold
from aggregators.increments import Fold
from aggregators.spend import SpendFold
from aggregators.validity import IdInterner
from tally_client.events import DIRECTORY, PROFILES, TOKEN


def fold_for(topic: str) -> Fold:
    """Return the fold of a topic."""
    ids = IdInterner()
    if topic == TOKEN:
        return SpendFold(ids)
    if topic == DIRECTORY:
        return DirectoryFold(ids)
    if topic == PROFILES:
        return ProfileFold(ids)
    return ActivityFold(ids)
