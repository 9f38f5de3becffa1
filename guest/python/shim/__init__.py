"""The shim: speaks the guest protocol for an interpreter that cannot receive descriptors (bash, Node)."""

import os


def main(control_fd, language, folder=None):
    """Serve `language` ("bash" or "javascript") on `control_fd`; never returns.

    `folder` holds the interpreter's driver; None means where a sandbox has it, /opt/cove/<language>.
    """
    status = 1
    try:
        from . import kernel, languages

        interpreter = languages.create(language, folder or "/opt/cove/" + language)
        serving = kernel.Kernel(control_fd, interpreter)
        serving.serve()
        status = 0
    finally:
        os._exit(status)
