# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From a profile and opt-outs to the lines of a drop-in, over what a unit says already. Pure.

Private to the collection.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from .._syntax.directives import Catalogue
from .._syntax.meaning import is_on, is_true
from . import merging
from .merging import Calls, Filter, read_names
from .optouts import Line, Needs
from .protection import USERS_MOUNTS, Merge, OfUsers, Protection, octal
from .protections import PROTECTIONS

# What DynamicUser=yes brings by itself (systemd.exec(5)).
_OF_DYNAMIC = {
    "NoNewPrivileges": "yes",
    "PrivateTmp": "yes",
    "ProtectHome": "read-only",
    "ProtectSystem": "strict",
    "RemoveIPC": "yes",
    "RestrictSUIDSGID": "yes",
}
# Up to then the manager gives a service with a user and any filter NoNewPrivileges=yes, whatever it says itself.
_FREE_OF_FILTERS = 257
_CLOCK_KEEPS_DEVICES = 248
# Which ones keep a user's service on 247 from starting, with status 226; on 252 they do not.
_REMOUNTING = ("ProtectKernelTunables", "ProtectControlGroups")
_REMOUNTS_OF_USERS = 252
_ROOT = ("", "root", "0")
# Powers that an opt-out gives a service with a user outright; others only where it has them itself.
_GIVEN = ("CAP_NET_BIND_SERVICE", "CAP_NET_RAW")


class Host(NamedTuple):
    """What the lines depend on besides the unit's [Service].

    catalogue: what its systemd knows. of_users: it is for managers of users. calls: what is in groups. made: by
    directive, the folder below which its manager makes those of a unit. early: the unit has DefaultDependencies=no.
    """

    catalogue: Catalogue
    of_users: bool = False
    calls: Calls = MappingProxyType({})
    made: Mapping[str, str] = MappingProxyType({})
    early: bool = False


class Lines(NamedTuple):
    """What a profile becomes over one unit.

    lines: of [Service], in order. left_out: directives of the profile that are not there, with why. stricter: those of
    which the unit has more itself, which stays. released: those that an opt-out makes weaker than the unit, with its
    name.
    """

    lines: Tuple[Line, ...]
    left_out: Mapping[str, str]
    stricter: Mapping[str, str]
    released: Mapping[str, str]


def profile(level: str, needs: Needs, present: Sequence[Line], host: Host) -> Lines:
    """The lines that bring a unit to a profile. present: the lines of its [Service] so far, in systemd's order."""
    return _Maker(level, needs, present, host).make()


def escalates_in_vain(needs: Needs, present: Sequence[Line], version: int) -> bool:
    """Would a service with a user be kept from gaining rights in spite of the opt-out?"""
    said = ServiceLines(present, version)
    return "escalate" in needs.names and version < _FREE_OF_FILTERS and not is_root(said)


def is_root(said: ServiceLines) -> bool:
    return said.last("User") in _ROOT and not is_true(said.last("DynamicUser"))


class ServiceLines:
    """Lines of [Service], in systemd's order, by directive, but for those that systemd of that version passes over."""

    def __init__(self, lines: Sequence[Line], version: int) -> None:
        self._by_name: Dict[str, List[str]] = {}
        for directive, value in lines:
            row = PROTECTIONS.get(directive)
            if row is None or row.takes(value, version):
                self._by_name.setdefault(directive, []).append(value)

    def all(self, directive: str) -> List[str]:
        return self._by_name.get(directive, [])

    def last(self, directive: str) -> str:
        values = merging.in_force(self.all(directive))
        return values[-1] if values else ""


class _Maker:
    def __init__(self, level: str, needs: Needs, present: Sequence[Line], host: Host) -> None:
        self.level, self.needs, self.host = level, needs, host
        self.version = host.catalogue.version
        said = ServiceLines(present, self.version)
        self.root = is_root(said)
        dynamic = is_true(said.last("DynamicUser"))
        self.said = ServiceLines([*(_OF_DYNAMIC.items() if dynamic else ()), *present], self.version)
        self.filter = Filter(host.calls)
        self.left_out: Dict[str, str] = {}
        self.stricter: Dict[str, str] = {}
        self.released: Dict[str, str] = {}
        self.lines: List[Line] = []

    def make(self) -> Lines:
        for row in PROTECTIONS.values():
            ours = self._ours(row)
            if ours or (row.name not in self.left_out and self._is_given_back(row)):
                self.lines += [(row.name, line) for line in _BY_MERGE[row.merge](self, row, ours)]
        self._addresses_allowed()
        for directive, value in self.needs.more:
            # A line of the unit's own may just have been taken from it, as SupplementaryGroups= empties that list.
            if value not in merging.in_force([*self.said.all(directive), *self._written(directive)]):
                self.lines.append((directive, value))
        return Lines(tuple(self.lines), self.left_out, self.stricter, self.released)

    def _written(self, directive: str) -> List[str]:
        return [value for name, value in self.lines if name == directive]

    def _ours(self, row: Protection) -> Tuple[str, ...]:
        """Its lines by the profile or by what an opt-out wants in their place, if the host can have them."""
        ours = self.needs.wants.get(row.name) or row.lines(self.level, self.version)
        if not ours:
            return ()
        why = row.missing(self.host.catalogue) or self._not_of_users(row) or self._out_of_place(row, ours)
        if why:
            self.left_out[row.name] = why
            return ()
        return tuple(ours)

    def _is_given_back(self, row: Protection) -> bool:
        """Is anything of what the unit has itself released?"""
        if row.missing(self.host.catalogue) or self._not_of_users(row):
            return False
        return row.name in self.needs.values or row.merge in (Merge.NAMES, Merge.CALLS)

    def _not_of_users(self, row: Protection) -> str:
        if not self.host.of_users or row.of_users is OfUsers.WORKS:
            return ""
        if row.name in _REMOUNTING and self.version < _REMOUNTS_OF_USERS:
            return f"in a user's manager {OfUsers.FAILS.value} before systemd {_REMOUNTS_OF_USERS}"
        if row.of_users is OfUsers.MOUNTS:
            if self.version >= USERS_MOUNTS or self._has_users():
                return ""
            return f"in a user's manager it takes effect from systemd {USERS_MOUNTS} on, or with PrivateUsers=yes"
        return f"in a user's manager {row.of_users.value}"

    def _has_users(self) -> bool:
        """Will it have PrivateUsers=?"""
        if "PrivateUsers" in self.needs.values:
            return False
        wanted = PROTECTIONS["PrivateUsers"].lines(self.level, self.version)
        return bool(wanted) or is_on(self.said.last("PrivateUsers"))

    def _out_of_place(self, row: Protection, ours: Sequence[str]) -> str:
        """Why a directive would do harm or nothing in this unit, "" if it would not."""
        released = self.needs.values
        if row.name == "RemoveIPC" and self.root and not self._becomes_dynamic():
            return "it does nothing for a service of root"
        if row.name == "PrivateTmp" and self.host.early and is_true(ours[-1]):
            # systemd.exec(5): it comes after systemd-tmpfiles-setup.service then, which may wait for it in turn.
            return "it starts before /tmp is set up (DefaultDependencies=no), for which it would have to wait"
        if row.name == "PrivateBPF" and is_true(self.said.last("PrivatePIDs")):
            return "together with PrivatePIDs=yes it would not start, with status 226"
        devices = self.said.last("PrivateDevices") or "no"
        closed = self.level not in ("baseline", "sessions") or is_true(devices)
        all_devices = bool(released.get("PrivateDevices")) or not closed
        if row.name == "ProtectClock" and self.version < _CLOCK_KEEPS_DEVICES and all_devices:
            return f"before systemd {_CLOCK_KEEPS_DEVICES} it closes all other devices as well"
        return ""

    def _becomes_dynamic(self) -> bool:
        wanted = PROTECTIONS["DynamicUser"].lines(self.level, self.version)
        return bool(wanted) and "DynamicUser" not in self.needs.values and not self.host.of_users

    def _release(self, row: Protection) -> None:
        named = [name for name in self.needs.names if name in row.allow]
        self.released[row.name] = self.needs.by.get(row.name) or ", ".join(named)

    # One for each way in which directives add up: the lines that are due.

    def ladder(self, row: Protection, ours: Sequence[str]) -> List[str]:
        now = self.said.last(row.name)
        has = row.rank(now)
        most = self.needs.values.get(row.name)
        ceiling = row.rank(most) if most is not None else len(row.order)
        wanted = min(row.rank(ours[-1]) if ours else 0, ceiling)
        if has > ceiling:
            self._release(row)
            return [row.order[ceiling]]
        if has > wanted:
            if ours:
                self.stricter[row.name] = now
            return []
        return [row.order[wanted]] if wanted > 0 else []

    def mask(self, row: Protection, ours: Sequence[str]) -> List[str]:
        now = self.said.last(row.name)
        has, least = _bits(now or row.order[0]), _bits(row.order[0])
        if row.name in self.needs.values:
            if has & ~least:
                self._release(row)
                return list(row.order)
            return []
        both = has | _bits(ours[-1])
        if both != _bits(ours[-1]):
            self.stricter[row.name] = now
        return [f"{both:04o}"] if both != has or now == "" else []

    def names(self, row: Protection, ours: Sequence[str]) -> List[str]:
        has = read_names(row.name, self.said.all(row.name))
        if row.name in self.needs.values:
            if self.said.all(row.name) and has != merging.EVERYTHING:
                self._release(row)
                return [""]
            return []
        back = self._back(row)
        wanted = read_names(row.name, ours) if ours else has
        after = has.both(wanted).either(back)
        fresh = not self.said.all(row.name)
        if not has.holds(after):
            self._release(row)
        if after == has and (not fresh or after == (merging.NOTHING if _is_ambient(row) else merging.EVERYTHING)):
            if ours and after != wanted.either(back):
                self.stricter[row.name] = " ".join(merging.in_force(self.said.all(row.name))) or "empty"
            return []
        return merging.written_names(row.name, after, fresh, self.version)

    def _back(self, row: Protection) -> Sequence[str]:
        """What opt-outs give back of a set."""
        if row.name == "RestrictAddressFamilies":
            return self.needs.families
        if row.name == "SystemCallArchitectures":
            return ()
        if not _is_ambient(row):
            return self.needs.capabilities
        if self.root:  # it has what the bounding set leaves, unless it will be another user
            return self.needs.capabilities if self._becomes_dynamic() else ()
        has = read_names(row.name, self.said.all(row.name))
        return [each for each in self.needs.capabilities if each in _GIVEN or each in has.names]

    def calls(self, row: Protection, ours: Sequence[str]) -> List[str]:
        present = self.said.all(row.name)
        lines = self.filter.tightened(present, ours, self.needs.calls)
        if merging.in_force(present):
            has = self.filter.read(present)
            after = self.filter.read([*present, *lines])
            if not has.holds(after):
                self._release(row)
            if ours and not lines:
                self.stricter[row.name] = "; ".join(merging.in_force(present))
        return lines

    def errno(self, row: Protection, ours: Sequence[str]) -> List[str]:
        """A filter of the unit's own that ends the service stays one that does."""
        has = self.said.last(row.name)
        if not ours or has or self.filter.ends_it(self.said.all("SystemCallFilter")):
            return []
        return list(ours)

    def addresses(self, row: Protection, ours: Sequence[str]) -> List[str]:
        has = merging.addresses(self.said.all(row.name))
        if row.name in self.needs.values:
            if has:
                self._release(row)
                return [""]
            return []
        return [] if not ours or "any" in has else list(ours)

    def _addresses_allowed(self) -> None:
        """What may be reached all the same; a list of the unit's own would be joined with ours, and so made wider."""
        if not self._ours(PROTECTIONS["IPAddressDeny"]) or "IPAddressDeny" in self.needs.values:
            return
        ours = [word for line in self.needs.wants.get("IPAddressAllow", ()) for word in line.split()]
        has = merging.addresses(self.said.all("IPAddressAllow"))
        if "any" in merging.addresses(self.said.all("IPAddressDeny")):
            ours = merging.common_addresses(has, ours)
            if ours == has:
                return
        lines = [*([""] if has else []), *([" ".join(ours)] if ours else [])]
        self.lines += [("IPAddressAllow", line) for line in lines]

    def groups(self, row: Protection, ours: Sequence[str]) -> List[str]:
        return [""] if ours and self.said.all(row.name) else []


_BY_MERGE: Mapping[Merge, Callable[[_Maker, Protection, Sequence[str]], List[str]]] = {
    Merge.LADDER: _Maker.ladder,
    Merge.MASK: _Maker.mask,
    Merge.NAMES: _Maker.names,
    Merge.CALLS: _Maker.calls,
    Merge.ERRNO: _Maker.errno,
    Merge.ADDRESSES: _Maker.addresses,
    Merge.GROUPS: _Maker.groups,
}


def undone(lines: Sequence[Line], later: Sequence[Line], present: Sequence[Line], host: Host) -> List[str]:
    """Directives that lines behind a profile's own make weaker again."""
    version = host.catalogue.version
    ours, whole = ServiceLines([*present, *lines], version), ServiceLines([*present, *lines, *later], version)
    names = dict.fromkeys(name for name, _value in lines if name in {directive for directive, _value in later})
    return [name for name in names if name in PROTECTIONS and _is_weaker(PROTECTIONS[name], whole, ours, host)]


def _is_weaker(row: Protection, now: ServiceLines, before: ServiceLines, host: Host) -> bool:
    if row.merge is Merge.LADDER:
        return row.rank(now.last(row.name)) < row.rank(before.last(row.name))
    if row.merge is Merge.MASK:
        old, new = (_bits(each.last(row.name) or row.order[0]) for each in (before, now))
        return bool(old & ~new)
    if row.merge is Merge.NAMES:
        return not read_names(row.name, before.all(row.name)).holds(read_names(row.name, now.all(row.name)))
    if row.merge is Merge.CALLS:
        reads = Filter(host.calls).read
        return not reads(before.all(row.name)).holds(reads(now.all(row.name)))
    return False


def _is_ambient(row: Protection) -> bool:
    return row.name == "AmbientCapabilities"


def _bits(value: str) -> int:
    return octal(value) or 0
