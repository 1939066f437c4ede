# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Which files make up a unit: fragment and drop-ins along systemd's load path.

Private to the collection.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from . import unitfile
from .names import UnitName, misnamed, parse_name, parse_pattern, with_instance
from .rule import Refused
from .unitfile import Effective

if TYPE_CHECKING:
    from .install import Enabling

# A unit whose file is a link to this is masked (systemd.unit(5)), and a drop-in is void.
MASK = "/dev/null"
# The drop-in that the option hardening writes.
HARDENING_DROPIN = "60-hardening"


@lru_cache(maxsize=None)
def dropin_folders(unit: str) -> Tuple[str, ...]:
    """The NAME.d folders that apply to a unit, the most specific first (systemd.unit(5), src/shared/dropin.c).

    foo-bar@x.service has its own, its template's, and those of each dashed prefix of both (foo-@x.service.d,
    foo-@.service.d, foo-.service.d); that of the type comes last. Held against DropInPaths of 247 to 262.
    """
    name = parse_pattern(unit)
    return tuple(dict.fromkeys(each + ".d" for each in (*_own_and_general(name), name.kind)))


def _own_and_general(name: UnitName) -> Iterator[str]:
    yield name.text
    if name.instance:
        yield from _own_and_general(parse_name(f"{name.prefix}@.{name.kind}"))
    shorter = _shorter(name.prefix)
    if shorter:
        # The prefix of a template is that of plain units.
        instance = f"@{name.instance}" if name.instance else ""
        yield from _own_and_general(parse_pattern(f"{shorter}{instance}.{name.kind}"))


def _shorter(prefix: str) -> str:
    """The next dashed prefix: that of "a-b" and of "a-b-" is "a-"; "" where there is none."""
    inner = prefix[:-1] if prefix.endswith("-") else prefix
    return prefix[: inner.rfind("-") + 1] if inner.rfind("-") > 0 else ""


@dataclass(frozen=True)
class LoadPath:
    """The files systemd would read, as data.

    folders: the load path, highest priority first. names: per folder its entries. dropins: per NAME.d folder path its
    *.conf entries. contents: what is in those files that have been read; a path that is missing here counts as empty.
    links: symbolic links among the names, by path (a link to /dev/null masks). made: by directive, the folder below
    which this manager makes those that a unit names by it (systemd.exec(5), RuntimeDirectory=). version: of systemd.
    """

    folders: Tuple[str, ...]
    names: Mapping[str, FrozenSet[str]]
    dropins: Mapping[str, FrozenSet[str]]
    contents: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    def fragment(self, unit: str) -> Optional[str]:
        """Path of the file that defines a unit, None if there is none; an instance falls back on its template.

        A link that leads from the one to the other is nothing else than that.
        """
        if unit not in self._fragments:
            self._fragments[unit] = self._fragment(unit)
        return self._fragments[unit]

    def _fragment(self, unit: str) -> Optional[str]:
        template = parse_pattern(unit).template
        path = self._first.get(unit)
        if path is not None and not (template and self._leads_to(path, template)):
            return path
        return self._first.get(template) if template else None

    def _leads_to(self, path: str, name: str) -> bool:
        """Is it a link to a file of that name in the load path, be it there or not?"""
        target = posixpath.join(posixpath.dirname(path), self.links.get(path, ""))
        return posixpath.basename(target) == name and (name in self._first or posixpath.dirname(target) in self.folders)

    @cached_property
    def _first(self) -> Dict[str, str]:
        """The path of each name in the folder of the highest priority that has it."""
        found: Dict[str, str] = {}
        for folder in reversed(self.folders):
            below = posixpath.join(folder, "")
            found.update((name, below + name) for name in self.names.get(folder, ()))
        return found

    def masked(self, unit: str) -> bool:
        path = self.fragment(unit)
        if path is None:
            return False
        return self.links.get(path) == MASK or (path in self.contents and not self.contents[path])

    def defines(self, unit: str) -> bool:
        """Has it a file, and not one that masks it?"""
        return self.fragment(unit) is not None and not self.masked(unit)

    def own_files(self, template: str) -> Sequence[str]:
        """The instances of a template that have a file of their name."""
        return self._of_template.get(template, ())

    @cached_property
    def _of_template(self) -> Dict[str, List[str]]:
        found: Dict[str, List[str]] = {}
        for name in self._first:
            template = "" if "@" not in name or misnamed(name) else parse_name(name).template
            if template:
                found.setdefault(template, []).append(name)
        return found

    def own_text(self, unit: str) -> str:
        """The file of just that name, "" if there is none; one that a generator makes follows something else."""
        path = self.fragment(unit)
        if path is None or posixpath.basename(path) != unit or "/generator" in path:
            return ""
        return path

    def primary(self, name: str) -> str:
        """The unit that a name stands for: another one's if it is an alias. systemd lists states by that alone.

        A link to a file that is no unit of the load path, or to the own template, is none (systemctl(1), link).
        """
        path = "" if misnamed(name) else self.fragment(name) or ""
        if path not in self.links:
            return name
        linked = posixpath.basename(self.links[path])
        if posixpath.basename(path) != name or misnamed(linked) or linked == parse_name(name).template:
            return name
        return linked if self.fragment(linked) else name

    def aliases(self, unit: str) -> List[str]:
        """The other names that a unit has; an instance has those of its template."""
        name = parse_pattern(unit)
        general = self._aliases.get(name.template, []) if name.template and name.instance else []
        templates = [each for each in general if parse_name(each).is_template]
        return [*self._aliases.get(unit, []), *(with_instance(each, name.instance or "") for each in templates)]

    @cached_property
    def _aliases(self) -> Dict[str, List[str]]:
        found: Dict[str, List[str]] = {}
        for alias in sorted({posixpath.basename(path) for path in self.links}):
            unit = self.primary(alias)
            if unit != alias:
                found.setdefault(unit, []).append(alias)
        return found

    def dropin_files(self, unit: str) -> List[str]:
        """Paths of a unit's drop-ins in the order systemd applies them."""
        return [path for path in self.dropins_and_masks(unit) if self.links.get(path) != MASK]

    def dropins_and_masks(self, unit: str) -> List[str]:
        """The same with those that are there to void one of the same name: by file name, whatever the folder.

        Of one name the first along the load path counts, then the most specific; what is for aliases comes after that,
        and what is for a whole type last.
        """
        chosen: Dict[str, str] = {}
        places: List[str] = []
        for each in (unit, *self.aliases(unit)):
            places += self._places(dropin_folders(each)[:-1])
        places += self._places(dropin_folders(unit)[-1:])
        for place in places:
            for name in self.dropins.get(place, ()):
                chosen.setdefault(name, posixpath.join(place, name))
        return [chosen[name] for name in sorted(chosen)]

    def _places(self, below: Sequence[str]) -> List[str]:
        there = [name for name in below if name in self._dropin_names]
        return [posixpath.join(folder, name) for folder in self.folders for name in there] if there else []

    @cached_property
    def _dropin_names(self) -> FrozenSet[str]:
        """The NAME.d folders that there are anywhere: few, where a unit could have one of many names in any folder."""
        return frozenset(posixpath.basename(place) for place in self.dropins)

    def files(self, unit: str) -> Tuple[str, ...]:
        if unit not in self._files:
            fragment = self.fragment(unit)
            self._files[unit] = (*((fragment,) if fragment else ()), *self.dropin_files(unit))
        return self._files[unit]

    def effective(self, unit: str) -> Effective:
        """The unit's directives as systemd merges them; a foreign file that cannot be parsed counts as empty."""
        if unit not in self._effective:
            self._effective[unit] = _merged([self.contents.get(path, b"") for path in self.files(unit)])
        return self._effective[unit]

    def install(self, unit: str) -> Mapping[str, Sequence[str]]:
        """The unit's [Install] section as systemctl merges it (unit_file_search() in install.c).

        It reads drop-ins of the unit and its template alone: none of a prefix, a type or an alias.
        """
        if unit not in self._install:
            fragment = self.fragment(unit)
            paths = (*((fragment,) if fragment else ()), *self._install_dropins(unit))
            alike = paths == self.files(unit)
            whole = self.effective(unit) if alike else _merged([self.contents.get(path, b"") for path in paths])
            self._install[unit] = whole.get("Install", {})
        return self._install[unit]

    def _install_dropins(self, unit: str) -> List[str]:
        """Of one name the most specific counts, then the first along the load path."""
        chosen: Dict[str, str] = {}
        for below in (f"{each}.d" for each in (unit, parse_pattern(unit).template) if each):
            for place in self._places([below]) if below in self._dropin_names else ():
                for name in self.dropins.get(place, ()):
                    chosen.setdefault(name, posixpath.join(place, name))
        return [chosen[name] for name in sorted(chosen) if self.links.get(chosen[name]) != MASK]

    @cached_property
    def _files(self) -> Dict[str, Tuple[str, ...]]:
        """By unit what has been asked for, as many rules ask the same; a load path never changes."""
        return {}

    @cached_property
    def _fragments(self) -> Dict[str, Optional[str]]:
        return {}

    @cached_property
    def enabled(self) -> Dict[Tuple[str, int, str], Enabling]:
        """The same of the links that enable it, which install.py finds out, by unit, version and folder of links."""
        return {}

    @cached_property
    def _effective(self) -> Dict[str, Effective]:
        return {}

    @cached_property
    def _install(self) -> Dict[str, Mapping[str, Sequence[str]]]:
        return {}

    def linked(self, links: Mapping[str, str]) -> LoadPath:
        """The load path with more symbolic links in its folders, path to target."""
        names = dict(self.names)
        for path in links:
            folder, name = posixpath.split(path)
            names[folder] = names.get(folder, frozenset()) | {name}
        return replace(self, names=names, links={**self.links, **links})

    def changed(self, new: Mapping[str, bytes], gone: Iterable[str]) -> LoadPath:
        """The load path after files were written and others removed (paths in any folder or NAME.d of it)."""
        names = {folder: set(entries) for folder, entries in self.names.items()}
        dropins = {folder: set(entries) for folder, entries in self.dropins.items()}
        contents = dict(self.contents)
        links = dict(self.links)
        for path in gone:
            folder, name = posixpath.split(path)
            (names if folder in self.folders else dropins).get(folder, set()).discard(name)
            contents.pop(path, None)
            links.pop(path, None)
        for path, content in new.items():
            folder, name = posixpath.split(path)
            (names if folder in self.folders else dropins).setdefault(folder, set()).add(name)
            contents[path] = content
            links.pop(path, None)
        return replace(
            self,
            names={folder: frozenset(entries) for folder, entries in names.items()},
            dropins={folder: frozenset(entries) for folder, entries in dropins.items()},
            contents=contents,
            links=links,
        )


def _merged(contents: Sequence[bytes]) -> Effective:
    if len(contents) != 1:
        return unitfile.effective([entries(content) for content in contents])
    try:
        return unitfile.alone(contents[0].decode("utf-8", "replace"))
    except Refused:
        return {}


@lru_cache(maxsize=None)
def entries(content: bytes) -> Sequence[unitfile.Entry]:
    """The assignments of a file, none if it cannot be parsed."""
    try:
        return unitfile.parse(content.decode("utf-8", "replace"))
    except Refused:
        return ()
