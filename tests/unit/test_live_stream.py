"""The bytes of the stream of Live, which a browser's EventSource reads."""

import pytest

from api.dashboard.live_routes import event_bytes


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (event_bytes(retry=3000), b"retry: 3000\n\n"),
        (event_bytes(comment="still here"), b": still here\n\n"),
        (event_bytes("ended", ""), b'event: ended\ndata: ""\n\n'),
        (event_bytes("live", '<p>\n"x"\r</p>'), b'event: live\ndata: "<p>\\n\\"x\\"\\r</p>"\n\n'),
    ],
)
def test_a_message_is_one_event_whatever_its_text(message: bytes, sent: bytes) -> None:
    assert message == sent
