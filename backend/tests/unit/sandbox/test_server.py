import gc
import socket

from sandbox import Options, Sandbox

TABLE = "/clinvar/tab_delimited/variant_summary.txt.gz"


def test_no_connection_outlives_the_server(cache_dir, monkeypatch):
    left = []
    monkeypatch.setattr("sys.unraisablehook", lambda found: left.append(str(found.exc_value)))
    sandbox = Sandbox(Options(genes=100, limits="off", cache_dir=cache_dir)).start()
    # the server cannot hand a whole file to the kernel
    sandbox._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", sandbox.port))
        client.sendall(f"GET {TABLE} HTTP/1.1\r\nHost: sandbox\r\n\r\n".encode())
        # the client reads only the start of the response and keeps the connection
        client.recv(1)
        sandbox.close()
        del sandbox
        gc.collect()
    assert left == []
