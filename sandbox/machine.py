"""What this machine can keep a process from: Landlock for files and signals, seccomp for system calls. Linux has both.

Everything is done by the process to itself, without rights, and cannot be undone by it or by what it starts.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVS, _SECCOMP, _FILTER, _VERSION = 38, 22, 2, 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_OF_FILES: Final = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_ALL: Final = {
    1: (1 << 13) - 1,
    2: (1 << 14) - 1,
    3: (1 << 15) - 1,
    5: (1 << 16) - 1,
}  # by the ABI since which
_NETWORK_ABI, _SCOPES_ABI = 4, 6
_NEW_NAMESPACES: Final = 0x10000000 | 0x40000000 | 0x08000000  # user, network, IPC

_DENY, _ALLOW, _NOT_THERE = 0x00050000 | 1, 0x7FFF0000, 0x00050000 | 38
_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16  # where they are in seccomp's data
_THREAD: Final = 0x00010000


@dataclass(frozen=True)
class _Calls:
    """An architecture's numbers of system calls: those that are *denied*, and those that are so by their first argument."""

    architecture: int
    denied: tuple[int, ...]
    clone: int
    prlimit: int


# In order: socket, bind, connect; fork, vfork, execve; kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo; ptrace,
# process_vm_readv and writev, kcmp; bpf, perf_event_open, userfaultfd; keyctl, add_key, request_key; mount, umount2,
# pivot_root, setns, unshare; shmget, msgget, semget, mq_open; init_module, finit_module, delete_module, kexec_load, reboot.
# pidfd_send_signal, pidfd_getfd, io_uring_setup, execveat have a number of their own or one for all.
_OF_ALL: Final = (424, 425, 438, 428, 429, 430, 431, 432, 433, 442)
_ARCHITECTURES: Final = {
    "x86_64": _Calls(
        0xC000003E,
        (
            *(
                41,
                49,
                42,
                57,
                58,
                59,
                62,
                200,
                234,
                129,
                297,
                101,
                310,
                311,
                312,
                321,
                298,
                323,
                250,
                248,
                249,
            ),
            *(165, 166, 155, 308, 272, 29, 68, 64, 240, 175, 313, 176, 246, 169, 322, *_OF_ALL),
        ),
        56,
        302,
    ),
    "aarch64": _Calls(
        0xC00000B7,
        (
            *(198, 200, 203, 221, 129, 130, 131, 138, 240, 117, 270, 271, 272, 280, 241, 282, 219, 217, 218),
            *(40, 39, 41, 268, 97, 194, 186, 190, 180, 105, 273, 106, 104, 142, 281, *_OF_ALL),
        ),
        220,
        261,
    ),
}
_CLONE3: Final = 435


@cache
def confinement() -> str:
    """What this machine cannot keep a process from, in words; empty where it can all that is promised."""
    if sys.platform != "linux":
        return f"on {sys.platform} nothing keeps a process from files and the network"
    if os.uname().machine not in _ARCHITECTURES:
        return f"on {os.uname().machine} nothing keeps a process from the network"
    if landlock_abi() < 1:
        return "this kernel has no Landlock, or does not let it be used, so that nothing keeps a process from files"
    return ""


def landlock_abi() -> int:
    """The version of Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(CREATE_RULESET, None, 0, 1)))


def confine(readable: Iterable[str], writable: str) -> None:
    """Keep this process from all files but these, from the network, other processes and new ones. Raises OSError."""
    libc = _libc()
    if os.geteuid() == 0:
        with suppress(OSError):  # root keeps its capabilities otherwise; not every machine lets it go without
            _done(libc.unshare(_NEW_NAMESPACES))
    _done(libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))
    _landlock(libc, readable, writable)
    _seccomp(libc, _ARCHITECTURES[os.uname().machine])


def _landlock(libc: Any, readable: Iterable[str], writable: str) -> None:
    abi = landlock_abi()
    every = next(bits for since, bits in reversed(_ALL.items()) if abi >= since)
    network = 0b11 if abi >= _NETWORK_ABI else 0
    scopes = 0b11 if abi >= _SCOPES_ABI else 0
    attributes = struct.pack("=QQQ", every, network, scopes)
    size = 24 if abi >= _SCOPES_ABI else 16 if abi >= _NETWORK_ABI else 8
    rules = _done(libc.syscall(CREATE_RULESET, attributes, size, 0))
    reading = _EXECUTE | _READ_FILE | _READ_DIR
    for path, access in [*((each, reading) for each in readable), (writable, every), ("/dev/null", every)]:
        with suppress(FileNotFoundError):
            place = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
            own = access if stat.S_ISDIR(os.fstat(place).st_mode) else access & _OF_FILES
            _done(libc.syscall(ADD_RULE, rules, 1, struct.pack("=Qi", own & every, place), 0))
            os.close(place)
    _done(libc.syscall(RESTRICT_SELF, rules, 0))
    os.close(rules)


def _seccomp(libc: Any, calls: _Calls) -> None:
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, calls.architecture),
        (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, 0x40000000),  # x32's
        (_RETURN, 0, 0, _DENY),
        (_EQUAL, 0, 1, _CLONE3),  # its flags are out of reach: libc takes clone
        (_RETURN, 0, 0, _NOT_THERE),
    ]
    for number in calls.denied:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _DENY)]
    program += [
        (_EQUAL, 0, 4, calls.clone),  # threads, no processes
        (_LOAD, 0, 0, _FIRST),
        (_ANY_OF, 1, 0, _THREAD),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 4, calls.prlimit),  # its own limits, no other process's
        (_LOAD, 0, 0, _FIRST),
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ALLOW),
    ]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filters", ctypes.c_void_p))

    made = Program(len(program), ctypes.addressof(filters))
    _done(libc.prctl(_SECCOMP, _FILTER, ctypes.byref(made), 0, 0))


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _done(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
