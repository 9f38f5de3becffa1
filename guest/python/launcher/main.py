"""Start-up: gathers what power there is, moves into namespaces of its own, and serves the engine."""

import json
import os
import socket
import sys

from isolation import hierarchy, landlock, leftovers, namespaces, rlimits, syscalls, users

from . import host, server, wire


def main():
    options = json.loads(sys.argv[1])
    syscalls.require_supported_machine()
    stream = socket.socket(fileno=options["link"]) if "link" in options else _connect(options["socket"])
    link = wire.Link(stream)
    try:
        _serve(options, link)
    except BaseException as error:
        link.send({"event": "failed", "message": f"{type(error).__name__}: {error}"})
        raise


def _connect(address):
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.connect(address)
    return stream


def _serve(options, link):
    rlimits.raise_ceilings()
    identity = _become_powerful(options, link)
    child = os.fork()
    if child:
        link.socket.close()
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    # From here on PID 1 of the namespace: when this process dies, the kernel kills every zygote and cell.
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, 9)
    recorded = leftovers.recorded(options["leases"])  # the files are out of reach once the root is this process's own
    place = host.move_in(options)
    left = hierarchy.reap_dead(options.get("delegated_group"), recorded=recorded)
    tree, missing, made = hierarchy.claim(options["engine"], options.get("delegated_group"))
    if identity.lease is not None:
        leftovers.record(identity.lease, [*made, *left])
    abi = landlock.abi()
    if not abi:
        missing = [*missing, "landlock"]
    if not identity.distinct:
        missing = [*missing, "ids"]
    launcher = server.Launcher(link, place, tree, identity.ids, abi, made)
    link.send({
        "event": "ready", "privilege": identity.privilege(tree, missing), "missing": missing, "landlock_abi": abi,
        "cgroup_version": tree.version if tree else 0, "service_id": identity.service_id})
    launcher.run()


class Identity:
    """As whom the launcher works: host root, or root of a user namespace of an ordinary user."""

    def __init__(self, ids, distinct, service_id=None, lease=None):
        self.is_root = service_id is not None
        self.lease = lease  # the open file of its lease of host ids; None for one that has none
        self.ids = ids
        self.distinct = distinct
        self.service_id = service_id  # whom the engine may become once it needs no power any more; it is in no cell's range

    def privilege(self, tree, missing):
        if self.is_root:
            return "root"
        return "delegated" if self.distinct and tree and not missing else "bare"


def _become_powerful(options, link):
    if "subordinate_ids" in options:
        return _root_of_namespace(options)
    if os.geteuid() == 0:
        os.setgroups([])
        first, count, lock = users.lease(options["leases"], users.FIRST, users.PER_ENGINE, users.ENGINES)
        syscalls.unshare(namespaces.NEWNS | namespaces.NEWPID)
        os.set_inheritable(lock, False)
        return Identity(users.HostIds(first, count - 1, shared=False), True, first + count - 1, lock)
    _begin_again({**options, "subordinate_ids": _enter_user_namespace(), "link": link.fileno()})


def _begin_again(options):
    """Executes this program anew inside the user namespace.

    The memory of a process belongs to the user namespace it was executed in, and so decides who may look at it and at its children: with
    that of the host, this process would not be let into the namespaces of its own cells.
    """
    os.set_inheritable(options["link"], True)
    os.execv(sys.executable, [*sys.orig_argv[:-2], json.dumps(options), sys.orig_argv[-1]])


def _root_of_namespace(options):
    distinct = options["subordinate_ids"]
    if not distinct:
        return Identity(users.HostIds(0, 1, shared=True), False)
    # Another engine of this user draws from the same ids: each leases a part of them.
    share = distinct // users.ENGINES_OF_A_USER
    first, count, lock = users.lease(options["leases"], 1, share, users.ENGINES_OF_A_USER)
    os.set_inheritable(lock, False)
    return Identity(users.HostIds(first, count, shared=False), True, lease=lock)


def _enter_user_namespace():
    """Becomes root of a new user namespace; returns how many subordinate ids came along (0: none)."""
    uid, gid, parent = os.getuid(), os.getgid(), os.getpid()
    ranges = host.subordinate_ranges(uid)
    ready, go = os.pipe()
    mapper = os.fork() if ranges else 0
    if ranges and mapper == 0:
        os.close(go)
        os.read(ready, 1)
        os._exit(host.run_mapping_tools(parent, uid, gid, ranges))
    syscalls.unshare(namespaces.NEWUSER | namespaces.NEWNS | namespaces.NEWPID)
    os.write(go, b"x")
    os.close(ready)
    os.close(go)
    mapped = bool(ranges) and os.waitstatus_to_exitcode(os.waitpid(mapper, 0)[1]) == 0
    if not mapped:
        for file_name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1\n"), ("gid_map", f"0 {gid} 1\n")):
            with open(f"/proc/self/{file_name}", "w", encoding="ascii") as file:
                file.write(text)
    if mapped:
        os.setgroups([])  # what else this user may do as a member of groups is not for a guest; without the tools it cannot be dropped
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    return min(ranges[0][1], ranges[1][1]) if mapped else 0
