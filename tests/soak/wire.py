"""The wire between Fairlead and the engine, which can be cut: whoever waits for an answer then never gets it.

It forwards bytes and knows nothing of HTTP. A call whose connection is cut may have been done by the engine, may be under way in
it, or may never have reached it, which is what Fairlead has to find out by itself.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

__all__ = ["Wire"]

_CHUNK = 1 << 16


class Wire:
    """Listens on the socket `near` and forwards to `far`, both of the unix sort."""

    def __init__(self, near: Path, far: str) -> None:
        self.near = near
        self._far = far
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(near))
        self._listener.listen(256)
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    @property
    def address(self) -> str:
        return f"unix://{self.near}"

    def cut(self) -> int:
        """Cut every connection; how many there were. New ones are let through."""
        with self._lock:
            cut, self._open = self._open, set()
        for end in cut:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        return len(cut) // 2

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self._far)
            except OSError:
                near.close()
                continue
            with self._lock:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, target), name="wire", daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(_CHUNK):
                target.sendall(chunk)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
        with self._lock:
            self._open.discard(source)
        # The other direction still writes to it: it is closed when that ends too, with the last reference.
