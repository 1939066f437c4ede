# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The search for the strictest set of directives that something bears: all at once, halves, and ladders going down.

What bears a set is asked by a function; what comes of its answers is decided here. Pure. Private to the collection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .levels import LEVELS
from .protection import Merge
from .protections import PROTECTIONS

Lines = Tuple[str, ...]
Setting = Mapping[str, Lines]
_CALLS: Lines = ("@system-service", "~@obsolete @cpu-emulation")
_DENIED = PROTECTIONS["SystemCallFilter"].levels["baseline"]
# The powers that what starts as root may need, those first that it is best without.
_POWERS = (
    "CAP_SETPCAP CAP_NET_ADMIN CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_DAC_OVERRIDE CAP_SYS_RESOURCE CAP_SYS_NICE CAP_KILL "
    "CAP_NET_RAW CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_IPC_LOCK CAP_SETUID CAP_SETGID"
)
# Ladders that are no steps of the profiles, from strict to weak.
_LADDERS: Mapping[str, Tuple[Lines, ...]] = {
    "ProtectHome": (("yes",), ("read-only",)),
    "CapabilityBoundingSet": (("",), (_POWERS,), PROTECTIONS["CapabilityBoundingSet"].levels["baseline"]),
    "SystemCallFilter": (
        (*_CALLS, "~@privileged @resources", "~@memlock @keyring"),
        (*_CALLS, "~@privileged @resources"),
        (*_CALLS, "~@privileged @resources", "@setuid"),
        (*_CALLS, "~@privileged @resources", "@setuid @chown"),
        (*_CALLS, "~@resources"),
        _CALLS,
        _DENIED,
    ),
}
# One after the other, those first that weigh much and harm little.
GROUPS: Tuple[Tuple[str, str], ...] = (
    (
        "kernel",
        "ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectClock ProtectControlGroups "
        "ProtectHostname LockPersonality RestrictRealtime SystemCallArchitectures PrivateMounts KeyringMode MemoryKSM "
        "PrivateBPF",
    ),
    ("rights", "NoNewPrivileges RestrictSUIDSGID RestrictNamespaces AmbientCapabilities SupplementaryGroups"),
    ("devices", "PrivateDevices DevicePolicy"),
    ("apart", "PrivateTmp PrivateIPC RemoveIPC ProtectProc ProcSubset"),
    ("files", "ProtectHome ProtectSystem UMask"),
    ("calls", "SystemCallFilter MemoryDenyWriteExecute"),
    ("powers", "CapabilityBoundingSet PrivateUsers"),
    ("network", "RestrictAddressFamilies IPAddressDeny PrivateNetwork"),
)
# Lists of words that may be given up one by one where all of them are borne.
_SHRINKS = ("CapabilityBoundingSet",)
_MOST_LEARNT = 6
# Tried before all else: where /proc is mounted anew as well, some of what it makes read-only was seen to stay writable
# (252 in a container), and on another host it would not.
_ALONE = ("ProtectSystem",)


class Item(NamedTuple):
    """A directive with its ladder: lines of it, from the strictest on."""

    directive: str
    rungs: Tuple[Lines, ...]


class TryOutcome(NamedTuple):
    """What came of a try.

    evidence: lines that tell why it failed. directives: those that are known to have refused something. folders: those
    that would have to be writable.
    """

    passed: bool
    evidence: Tuple[str, ...] = ()
    directives: FrozenSet[str] = frozenset()
    folders: FrozenSet[str] = frozenset()


class OutOfTime(Exception):
    """There is no time for another try."""


# What bears a setting, with these folders writable?
Attempt = Callable[[Setting, FrozenSet[str]], TryOutcome]


@dataclass(frozen=True)
class Facts:
    """What is known of a service as it is, as far as it says what may be tried.

    version: of systemd. remote: what it listens on or talks to beyond this host. local: the same within it, of IP
    alone. idle: listeners that the probe did not touch. idle_others: other users and files that the probe did not
    touch. families: of its sockets. modes: all bits of the modes of the files that it made. generous: what was not
    exercised may break.
    """

    version: int
    remote: Tuple[str, ...] = ()
    local: Tuple[str, ...] = ()
    idle: Tuple[str, ...] = ()
    idle_others: Tuple[str, ...] = ()
    families: FrozenSet[str] = frozenset()
    modes: int = 0
    generous: bool = False


def items(facts: Facts) -> Tuple[List[Tuple[Item, ...]], Dict[str, str]]:
    """What there is to be tried, in groups, and which directives are not, with why."""
    barred = _barred(facts)
    found = []
    for _name, directives in GROUPS:
        ladders = ((each, _rungs(each, facts)) for each in directives.split() if each not in barred)
        found.append(tuple(Item(each, rungs) for each, rungs in ladders if rungs))
    return [group for group in found if group], barred


def _rungs(directive: str, facts: Facts) -> Tuple[Lines, ...]:
    row = PROTECTIONS[directive]
    if directive == "RestrictAddressFamilies":
        return _families(facts)
    if directive in _LADDERS:
        return _LADDERS[directive]
    by_level = [row.lines(level, facts.version) for level in reversed(LEVELS)]
    found = [lines for lines in dict.fromkeys(by_level) if lines]
    if row.merge is Merge.MASK and not facts.generous:
        found = [lines for lines in found if not int(lines[-1], 8) & facts.modes]
    return tuple(found)


def _families(facts: Facts) -> Tuple[Lines, ...]:
    """Those of the sockets that it has, and Unix in any case, as the C library and systemd itself are reached by it."""
    inet = ("AF_INET", "AF_INET6")
    seen = {"AF_UNIX", *(inet if facts.families & {*inet} else ()), *(facts.families & {"AF_NETLINK", "AF_PACKET"})}
    steps = [seen, {"AF_UNIX", *inet}, {"AF_UNIX", *inet, "AF_NETLINK"}]
    rungs = [(" ".join(sorted(each)),) for each in steps if each >= seen]
    return tuple(dict.fromkeys([*rungs, ("~AF_PACKET",)]))


def _barred(facts: Facts) -> Dict[str, str]:
    """What would break something that no probe shows."""
    found: Dict[str, str] = {}
    sockets = (*facts.remote, *facts.local)
    if sockets:
        found["PrivateNetwork"] = f"it uses the network: {', '.join(sockets)}"
    if facts.remote and not facts.generous:
        found["IPAddressDeny"] = f"others than this host use it, or it them: {', '.join(facts.remote)}"
    if facts.idle and not facts.generous:
        told = f"the probe did not touch {', '.join(facts.idle)}"
        found.setdefault("IPAddressDeny", told)
        found.update({"PrivateNetwork": told, "PrivateUsers": told})
    if facts.idle_others and not facts.generous:
        found["PrivateUsers"] = f"the probe did not touch {', '.join(facts.idle_others)}"
    return found


@dataclass
class Search:
    """One search.

    attempt: does one try. folders: those that it has to write to. accepted: what it bears, as far as that was tried.
    left_out: what it does not bear, with the evidence. complete: there was time for all of it.
    """

    attempt: Attempt
    folders: FrozenSet[str] = frozenset()
    accepted: Dict[str, Lines] = field(default_factory=dict)
    left_out: Dict[str, Tuple[str, ...]] = field(default_factory=dict)
    complete: bool = True

    def run(self, groups: Sequence[Sequence[Item]], failed: Optional[TryOutcome] = None) -> None:
        """failed: what came of all of it together, if that is known, None if not."""
        try:
            self._first(item for group in groups for item in group if item.directive in _ALONE)
            some = [item for group in groups for item in group if item.directive not in self.accepted]
            self._settle(some, failed or TryOutcome(False), known=failed is not None)
        except OutOfTime:
            self.complete = False
            for item in (item for group in groups for item in group):
                if item.directive not in self.accepted:
                    self.left_out.setdefault(item.directive, ("there was no time left to try it",))

    def _first(self, some: Iterable[Item]) -> None:
        """What is accepted alone, or is left to be tried with the rest; the folders that it tells of are known then."""
        for item in some:
            if self._try({item.directive: item.rungs[0]}).passed:
                self.accepted[item.directive] = item.rungs[0]

    def _settle(self, some: Sequence[Item], failed: TryOutcome, known: bool) -> bool:
        """Find what of some items is borne besides what is accepted; returns whether all of it at its strictest is.

        known: that it fails is known already, unless a try went wrong by chance: of a single one that is tried again.
        """
        if not some:
            return True
        outcome = failed if known and len(some) > 1 else self._try({item.directive: item.rungs[0] for item in some})
        if outcome.passed:
            self.accepted.update((item.directive, item.rungs[0]) for item in some)
            return True
        if len(some) == 1:
            self._descend(some[0], outcome)
            return False
        suspects = [item for item in some if item.directive in outcome.directives]
        if suspects and len(suspects) < len(some):
            self._settle([item for item in some if item not in suspects], outcome, known=False)
            for item in suspects:
                self._settle([item], outcome, known=False)
            return False
        middle = (len(some) + 1) // 2
        whole = self._settle(some[:middle], outcome, known=False)
        self._settle(some[middle:], outcome, known=whole)
        return False

    def _descend(self, item: Item, outcome: TryOutcome) -> None:
        for rung in item.rungs[1:]:
            self.left_out[item.directive] = outcome.evidence
            outcome = self._try({item.directive: rung})
            if outcome.passed:
                self.accepted[item.directive] = rung
                if item.directive in _SHRINKS:
                    self._shrink(item.directive, rung)
                return
        self.left_out[item.directive] = outcome.evidence

    def _shrink(self, directive: str, rung: Lines) -> None:
        """Do without as many words as can be: halves of them at first, then single ones."""
        (words,) = rung
        if words.startswith("~"):
            return
        left = words.split()
        chunk = len(left) // 2
        while chunk:
            at = 0
            while at < len(left):
                fewer = [*left[:at], *left[at + chunk :]]
                if fewer and self._try({directive: (" ".join(fewer),)}).passed:
                    left = fewer
                    self.accepted[directive] = (" ".join(left),)
                else:
                    at += chunk
            chunk //= 2

    def _try(self, more: Setting) -> TryOutcome:
        """A failure that names folders is tried again with those writable."""
        for _attempt in range(_MOST_LEARNT):
            outcome = self.attempt({**self.accepted, **more}, self.folders)
            if outcome.passed or not outcome.folders - self.folders:
                break
            self.folders |= outcome.folders
        return outcome

    def prove(self, attempt: Attempt, late: Callable[[], bool] = lambda: False) -> TryOutcome:
        """Hold all that is accepted against a harder test; where that fails, find what of it is not borne.

        late: whether there is no time left, so that half of it goes at once, and few tests remain.
        """
        outcome = attempt(self.accepted, self.folders)
        if not (outcome.passed or late()):
            outcome = self._sorted_out(attempt, late, outcome)
        while not outcome.passed and self.accepted:
            for directive in list(self.accepted)[len(self.accepted) // 2 :]:
                del self.accepted[directive]
                self.left_out[directive] = outcome.evidence
            self.complete = False
            outcome = attempt(self.accepted, self.folders)
        return outcome

    def _sorted_out(self, attempt: Attempt, late: Callable[[], bool], failed: TryOutcome) -> TryOutcome:
        """The same search over what was accepted, by the harder test, which all that is accepted now has passed."""

        def harder(setting: Setting, folders: FrozenSet[str]) -> TryOutcome:
            if late():
                raise OutOfTime
            return attempt(setting, folders)

        some = [Item(directive, (lines,)) for directive, lines in self.accepted.items()]
        again = Search(harder, self.folders)
        again.run([some], failed)
        self.accepted, self.folders = again.accepted, again.folders
        self.left_out.update(again.left_out)
        self.complete = self.complete and again.complete
        return TryOutcome(True) if self.accepted else attempt(self.accepted, self.folders)
