# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The types of units, a row for each: all that the rest has to know of one stands here.

By the manual of each type (systemd.service(5) and the like). Private to the collection.
"""

from __future__ import annotations

import enum
from typing import Dict, FrozenSet, NamedTuple, Tuple

from .effects import KILL, LIMITS, MOUNT_LIVE, SERVICE_LIVE, SOCKET_LIVE, Change, Effect
from .section import Lists, Paths, Section


class File(enum.Enum):
    """Whether a file defines units of a type; OPTIONAL: systemd makes one itself where there is no file."""

    NEEDED = "needed"
    OPTIONAL = "optional"
    NEVER = "never"


class Naming(enum.Enum):
    """What a name has to be.

    FOLDER, FILE: the escaped path of the folder that a unit lies over, or of the file that it is for. PARENTS: its
    parents, with dashes between.
    """

    FREE = "free"
    FOLDER = "folder"
    FILE = "file"
    PARENTS = "parents"


class Processes(enum.Enum):
    """What runs in a unit: the one that it is up for, commands on its way up or down, or what others have started."""

    MAIN = "main"
    COMMANDS = "commands"
    FOREIGN = "foreign"
    NONE = "none"


class Cgroup(enum.Enum):
    """Whether a unit has a cgroup: one for its processes, or one for the cgroups of other units."""

    OWN = "own"
    PARENT = "parent"
    NONE = "none"


class Cause(enum.Enum):
    """What makes a unit start another: a time, an event at any moment, or a process that uses what it stands for."""

    TIME = "time"
    EVENT = "event"
    USE = "use"
    NONE = "none"


class Activation(NamedTuple):
    """What units of a type start.

    kind: the type of what they start, by their own name unless they say another. directive: says another. each: makes
    them start an instance for each connection. cause: when they do. hands_over: they open something and pass it on, so
    they cannot start while what they start runs, and it loses that when they go.
    """

    kind: str
    directive: str
    each: str
    cause: Cause
    hands_over: bool


class Names(NamedTuple):
    """What units are called. naming: what a name has to be. may_alias: one may have more (unit_type_may_alias())."""

    naming: Naming
    may_alias: bool


ANY_SUB = ("any",)


class Jobs(NamedTuple):
    """What jobs do to it.

    reload: systemd takes that job for it. unused_sub: SubState of one that a restart takes from nobody. undone: why a
    restart may leave one as it was.
    """

    reload: bool
    unused_sub: Tuple[str, ...]
    undone: str


# In the place of a target: the one that the scope has for services (_host/scopes.py).
OF_SCOPE = "the scope's"


class Kind(NamedTuple):
    """A type of unit.

    name: the suffix. own: its own section. file: whether a file defines it. names: what its units are called.
    processes: what runs in it. cgroup: whether it has one. jobs: what jobs do to it. starts: what it starts. boot: the
    target that starts its units at boot (systemd.special(7)). good_sub: the SubState of one that is active and does
    what it is for. honours: which of SELECTIVE do something for it, at first and when they change; the others are
    refused by name.
    """

    name: str
    own: Section
    file: File
    names: Names
    processes: Processes
    cgroup: Cgroup
    jobs: Jobs
    starts: Activation
    boot: str
    good_sub: Tuple[str, ...]
    honours: FrozenSet[str]

    @property
    def section(self) -> str:
        return self.own.name

    @property
    def change(self) -> Change:
        return self.own.change

    @property
    def naming(self) -> Naming:
        return self.names.naming

    @property
    def is_named_by_path(self) -> bool:
        return self.naming in (Naming.FOLDER, Naming.FILE)

    @property
    def reloadable(self) -> bool:
        return self.jobs.reload

    @property
    def runs_commands(self) -> bool:
        """Does it take the directives of systemd.exec(5)?"""
        return self.processes in (Processes.MAIN, Processes.COMMANDS)

    @property
    def has_process(self) -> bool:
        """Is it the unit that a process which goes on is of, whoever started that?"""
        return self.processes in (Processes.MAIN, Processes.FOREIGN)

    @property
    def is_option(self) -> bool:
        """Do modules take its section as an option? A file has to define it, and not of X- names alone."""
        return self.file is not File.NEVER and self.change.otherwise is not Effect.NONE

    @property
    def is_of_kernel(self) -> bool:
        """Is it up by what the kernel has, whoever brought that about (systemd.mount(5), systemd.swap(5))?"""
        return self.is_named_by_path and self.processes is Processes.COMMANDS

    @property
    def over_folder(self) -> bool:
        """Does what is up of it lie over the folder that it is named after?"""
        return self.naming is Naming.FOLDER

    @property
    def appears(self) -> bool:
        """Does it come and go with what the kernel finds, so that no start brings it (systemd.device(5))?"""
        return self.is_named_by_path and self.file is File.NEVER

    @property
    def is_starter(self) -> bool:
        return self.starts.cause is not Cause.NONE

    @property
    def goes_by_time(self) -> bool:
        return self.starts.cause is Cause.TIME

    @property
    def can_fall(self) -> bool:
        """May it fall after it has come up? A process does, and what starts others over and over (systemd.path(5))."""
        return self.processes is Processes.MAIN or self.starts.cause is Cause.EVENT

    def boot_target(self, of_scope: str) -> str:
        """The target that starts its units at boot. of_scope: the one that the scope has for services."""
        return of_scope if self.boot == OF_SCOPE else self.boot


# Options of an entry that are not for every type; all others are. What is not in the text of a unit needs a process
# that goes on, as only of that is known what it was started with.
SELECTIVE = frozenset(["environment", "secrets", "credentials", "triggers", "run", "hardening"])
_OF_PROGRAMS = SELECTIVE
_OF_COMMANDS = frozenset(["environment"])
_OF_NO_PROCESS: FrozenSet[str] = frozenset()

_NOTHING = Activation("", "", "", Cause.NONE, hands_over=False)
_AS_EVERYWHERE = Lists(frozenset(), frozenset(), "", whole=False)
_NO_PATHS, _SOURCE = Paths(frozenset(), ""), Paths(frozenset(), "What")
_FREE = Names(Naming.FREE, may_alias=True)
_ONE_FOLDER, _ONE_FILE = Names(Naming.FOLDER, may_alias=False), Names(Naming.FILE, may_alias=False)
_REPLACED = "another job took the place of the restart"
_NEVER_RELOADED = Jobs(reload=False, unused_sub=ANY_SUB, undone=_REPLACED)

# All directives that are times of a timer, or conditions of a path, and not something about them.
TIMER_TIMES = frozenset("OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec OnCalendar".split())
PATH_CONDITIONS = frozenset("PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty".split())
# What a socket opens that may be a file; the name of a message queue is none.
SOCKET_PATHS = frozenset(
    "ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenSpecial ListenUSBFunction".split()
)

_ROWS = (
    Kind(
        name="service",
        own=Section(
            "Service",
            Change(Effect.RESTART, (LIMITS, (Effect.LIVE, SERVICE_LIVE))),
            Lists(frozenset(["Sockets"]), frozenset(), "", whole=False),
            _NO_PATHS,
        ),
        file=File.NEEDED,
        names=_FREE,
        processes=Processes.MAIN,
        cgroup=Cgroup.OWN,
        jobs=Jobs(reload=True, unused_sub=ANY_SUB, undone=_REPLACED),
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_PROGRAMS,
    ),
    Kind(
        name="socket",
        # It has to stop together with what it starts.
        own=Section(
            "Socket",
            Change(Effect.REBIND, (LIMITS, (Effect.LIVE, SOCKET_LIVE))),
            Lists(frozenset(), frozenset(), "Listen", whole=False),
            Paths(SOCKET_PATHS, ""),
        ),
        file=File.NEEDED,
        names=_FREE,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        jobs=_NEVER_RELOADED,
        starts=Activation("service", "Service", "Accept", Cause.EVENT, hands_over=True),
        boot="sockets.target",
        good_sub=("listening", "running"),
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="target",
        own=Section("Target", Change(Effect.NONE), _AS_EVERYWHERE, _NO_PATHS),
        file=File.NEEDED,
        names=_FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        jobs=_NEVER_RELOADED,
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="timer",
        # A restart would take its base away.
        own=Section("Timer", Change(Effect.LIVE), Lists(frozenset(), TIMER_TIMES, "", whole=False), _NO_PATHS),
        file=File.NEEDED,
        names=_FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        jobs=_NEVER_RELOADED,
        starts=Activation("service", "Unit", "", Cause.TIME, hands_over=False),
        boot="timers.target",
        good_sub=("waiting", "running"),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="path",
        own=Section(
            "Path", Change(Effect.LIVE), Lists(frozenset(), PATH_CONDITIONS, "", whole=True), Paths(PATH_CONDITIONS, "")
        ),
        file=File.NEEDED,
        names=_FREE,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        jobs=_NEVER_RELOADED,
        starts=Activation("service", "Unit", "", Cause.EVENT, hands_over=False),
        boot=OF_SCOPE,
        good_sub=("waiting", "running"),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="mount",
        # The rest is for the process that mounts, and for one that a file system of FUSE leaves behind.
        own=Section(
            "Mount",
            Change(
                Effect.NEXT,
                (
                    LIMITS,
                    (Effect.LIVE, MOUNT_LIVE),
                    (Effect.REMOUNT, frozenset(["Options"])),
                    (Effect.RESTART, frozenset(["What", "Where", "Type"])),
                ),
            ),
            _AS_EVERYWHERE,
            _SOURCE,
        ),
        file=File.NEEDED,
        names=_ONE_FOLDER,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        jobs=Jobs(reload=True, unused_sub=ANY_SUB, undone="it could not be unmounted (its last lines say why)"),
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=("mounted",),
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="automount",
        # The kernel is told the idle time when it starts; a folder is made at its next start, or mount.
        own=Section(
            "Automount",
            Change(Effect.RESTART, ((Effect.LIVE, frozenset(["DirectoryMode"])),)),
            _AS_EVERYWHERE,
            _NO_PATHS,
        ),
        file=File.NEEDED,
        names=_ONE_FOLDER,
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        jobs=Jobs(reload=False, unused_sub=("waiting",), undone=_REPLACED),
        starts=Activation("mount", "", "", Cause.USE, hands_over=False),
        boot=OF_SCOPE,
        good_sub=("waiting", "running"),
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="swap",
        # The rest is for the process that calls swapon(2).
        own=Section(
            "Swap",
            Change(
                Effect.NEXT,
                (
                    LIMITS,
                    (Effect.LIVE, KILL | frozenset(["TimeoutSec"])),
                    (Effect.RESTART, frozenset(["What", "Priority", "Options"])),
                ),
            ),
            _AS_EVERYWHERE,
            _SOURCE,
        ),
        file=File.NEEDED,
        names=_ONE_FILE,
        processes=Processes.COMMANDS,
        cgroup=Cgroup.OWN,
        jobs=_NEVER_RELOADED,
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_COMMANDS,
    ),
    Kind(
        name="slice",
        # A restart would take all services in it along.
        own=Section("Slice", Change(Effect.LIVE, (LIMITS,)), _AS_EVERYWHERE, _NO_PATHS),
        file=File.OPTIONAL,
        names=Names(Naming.PARENTS, may_alias=False),
        processes=Processes.NONE,
        cgroup=Cgroup.PARENT,
        jobs=_NEVER_RELOADED,
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="scope",
        own=Section("Scope", Change(Effect.LIVE, (LIMITS,)), _AS_EVERYWHERE, _NO_PATHS),
        file=File.NEVER,
        names=Names(Naming.FREE, may_alias=False),
        processes=Processes.FOREIGN,
        cgroup=Cgroup.OWN,
        jobs=_NEVER_RELOADED,
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_NO_PROCESS,
    ),
    Kind(
        name="device",
        own=Section("Device", Change(Effect.NONE), _AS_EVERYWHERE, _NO_PATHS),
        file=File.NEVER,
        names=Names(Naming.FILE, may_alias=True),
        processes=Processes.NONE,
        cgroup=Cgroup.NONE,
        jobs=_NEVER_RELOADED,
        starts=_NOTHING,
        boot=OF_SCOPE,
        good_sub=ANY_SUB,
        honours=_OF_NO_PROCESS,
    ),
)
KINDS: Dict[str, Kind] = {row.name: row for row in _ROWS}
EXEC_SECTIONS = tuple(row.section for row in _ROWS if row.runs_commands)
CGROUP_SECTIONS = tuple(row.section for row in _ROWS if row.cgroup is not Cgroup.NONE)
# What a name stands for that ends in no type of unit, as one that a file only mentions may.
_NO_KIND = Kind(
    name="",
    own=Section("", Change(Effect.NONE), _AS_EVERYWHERE, _NO_PATHS),
    file=File.NEVER,
    names=Names(Naming.FREE, may_alias=False),
    processes=Processes.NONE,
    cgroup=Cgroup.NONE,
    jobs=_NEVER_RELOADED,
    starts=_NOTHING,
    boot=OF_SCOPE,
    good_sub=ANY_SUB,
    honours=_OF_NO_PROCESS,
)
# What a name without a type is the name of (systemctl(1)).
DEFAULT_KIND = "service"


def kind_of(unit: str) -> Kind:
    """The type of a unit by its name."""
    _stem, dot, suffix = unit.rpartition(".")
    return KINDS.get(suffix, _NO_KIND) if dot else _NO_KIND
