"""The launcher: the one privileged process of an engine.

It makes cells and starts every process in them. It is single-threaded, reads a closed set of validated requests from the engine,
and sees nothing of the host but /usr, the control groups and the guest's own sources. Everything it started dies with it: it is
PID 1 of a PID namespace of its own.
"""
