"""Draws the boundary of a cell: one file per kernel mechanism, one function (enter.enter) that applies them in order.

Everything here runs in trusted single-threaded processes (launcher, zygotes) or in their children before any guest code runs.
"""
