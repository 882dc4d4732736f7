"""The API listens in a way that keeps no answer waiting."""

import socket
from contextlib import closing

from app.serve import listen


def test_the_parts_of_an_answer_do_not_wait_for_each_other() -> None:
    with closing(listen("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()[:2]):
            accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
