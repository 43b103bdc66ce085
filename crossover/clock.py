"""AWS's own time, because this machine's clock may be wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

# The Date of an answer has no fractions, the times in events and messages have.
TOLERANCE = timedelta(seconds=2)


def answered_at(answer: Mapping[str, Any]) -> datetime:
    """When the service gave this answer; this machine's time where it does not say."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)
