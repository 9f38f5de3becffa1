"""The file worker: reads and writes a sandbox's files from outside, beneath one directory descriptor. See README.md."""

import os


def main(link_fd, root_fd):
    """Serve the engine on `link_fd` for the tree at `root_fd`; never returns."""
    status = 1
    try:
        from . import hardening, worker

        hardening.apply()
        worker.Worker(link_fd, root_fd).serve()
        status = 0
    finally:
        os._exit(status)
