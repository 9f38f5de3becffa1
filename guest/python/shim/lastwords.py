"""What bash says of a cell that it cannot parse, in bash's own words.

A cell is read by a file that bash sources, since only there `return` leaves the cell and `declare` is global; so bash calls that file by name
where it would say `bash`. BASH_SOURCE, where it takes the name from, cannot be set.
"""

import re

from .outlet import Outlet

# The message is two lines long, three in some versions, and one of them may quote a line of code. More than this is passed on as it is.
MOST_LINES = 3
LONGEST = 64 << 10


class LastWords(Outlet):
    """
    The standard error of a run. Lines that look like the message are held back while nothing follows them, and reworded only if they were the
    last of a run that ended as an unparsable one does: what merely reads like it, in the output of a program, stays as it is.
    """

    STATUS = 2

    def __init__(self, fd, folder):
        super().__init__(fd)
        self._line = re.compile(rb"^%s/cell\.sh: eval: line (\d{1,9}: )" % re.escape(folder.encode()), re.MULTILINE)
        self._held = bytearray()
        self._at_line_start = True

    def write(self, data):
        self._held += data
        self._pass_on(self._held_from())

    def end(self, outcome):
        if outcome.get("status") == "exit" and outcome.get("exit_code") == self.STATUS:
            self._held[:] = self._line.sub(rb"bash: line \1", bytes(self._held))
        self._pass_on(len(self._held))

    def _held_from(self):
        """Where the lines begin, at the end of what came, that may be the message."""
        start, lines = len(self._held), 0
        while start > 0 and lines < MOST_LINES:
            before = self._held.rfind(b"\n", 0, start - 1) + 1
            if not self._line.match(self._held, before) or before == 0 and not self._at_line_start:
                break
            start, lines = before, lines + 1
        return start if len(self._held) - start <= LONGEST else len(self._held)

    def _pass_on(self, end):
        if end > 0:
            self._at_line_start = self._held[end - 1] == ord("\n")
            super().write(bytes(self._held[:end]))
            del self._held[:end]
