"""Numbers in messages."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with what is counted: `1 partition`, `1,200 partitions`, `1 offset is`. `many` is by default
    `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
