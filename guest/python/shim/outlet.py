"""One pipe of a run, written without ever blocking."""

import os


class Outlet:
    """Holds what the pipe did not take yet; the caller stops producing while something is held."""

    def __init__(self, fd):
        self.fd = fd
        self.broken = False
        self._pending = bytearray()
        os.set_blocking(fd, False)

    @property
    def full(self):
        return bool(self._pending)

    def write(self, data):
        # Nobody reads a broken pipe any more: what is meant for it is dropped, and the interpreter is never stopped by it.
        if not self.broken:
            self._pending += data
            self.flush()

    def flush(self):
        try:
            while self._pending:
                written = os.write(self.fd, memoryview(self._pending)[:65536])
                del self._pending[:written]
        except BlockingIOError:
            pass
        except OSError:
            self.hang_up()

    def end(self, outcome):
        """Everything was written, and the run's outcome is known: nothing is held back any more."""

    def hang_up(self):
        """The reader has gone."""
        self.broken = True
        self._pending.clear()

    def close(self):
        os.close(self.fd)
