# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What `systemctl enable` makes of an [Install] section, by systemd.unit(5) and as 247 to 262 do it (install.c).

Private to the collection.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from .kinds import kind_of
from .loadpath import LoadPath
from .names import is_template, misnamed, parse_name, with_instance
from .rule import Problem, Rule, Severity
from .specifiers import in_install

# What makes links in a folder of another unit, and since which version.
WANTING = (("WantedBy", ".wants", 0), ("RequiredBy", ".requires", 0), ("UpheldBy", ".upholds", 254))
INSTALLS = tuple(directive for directive, _folder, _since in WANTING)
# Before that a template without an instance is linked nowhere, a unit that Also= names has to be there, and an alias of
# the own name collides with the file itself.
_TEMPLATES_SINCE = 249
# Resolved by the host, and where they stand in a name only systemctl says which that is (systemd.unit(5), Specifiers).
_OF_HOST = re.compile("%[aAbBgGHlmMoquUvwW]")
_WORD = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+")
_SUFFIXES = (".wants", ".requires")
_MANUAL = "systemd.unit(5), [Install] section options"


def _install(reason: str, remedy: str) -> Rule:
    return Rule("install", Severity.ERROR, reason, remedy, _MANUAL)


_MISNAMED = Rule("install", Severity.ERROR, "{complaint}", "", _MANUAL, of_line=True)
_NO_INSTANCE = _install(
    "this template has no DefaultInstance=, so there is no instance of it that {other} could want",
    "list its instances, name it DefaultInstance=, or enable an instance",
)
_TOO_OLD = _install(
    "links of a template without an instance are made by systemd 249 and newer", "name it DefaultInstance="
)
_NO_ALIASES = Rule(
    "install-passed-over", Severity.WARNING, "a .{kind} can have no other name", "leave Alias= out", _MANUAL
)
_OTHER_TYPE = _install("{alias} is no .{kind}", "an alias ends as its unit does, with .{kind}")
_OTHER_FORM = _install(
    "{alias} is {form}, which cannot stand for {unit}",
    "an alias of a template, an instance or a plain unit is one itself, and of an instance it has the same instance",
)
_OWN_NAME = _install("is its own name, which systemd 247 takes for one that is taken", "leave Alias= out")
_BAD_PATH = _install(
    "{alias} is no link for this unit", "write WantedBy= or RequiredBy= with the name of the other unit"
)
_ALSO_NOWHERE = Rule(
    "also-nowhere",
    Severity.UNVERIFIED,
    "there is no {other} on this host",
    "install what brings it, or leave Also= out",
    _MANUAL,
)
_ALSO_PASSED_OVER = Rule(
    "also-passed-over",
    Severity.WARNING,
    "there is no {other} on this host",
    "systemctl enables the rest",
    _MANUAL,
    may_come=True,
)


class Link(NamedTuple):
    """A link that enabling a unit makes.

    path: below the folder of units. other: the unit that wants it, or the alias.
    """

    path: str
    directive: str
    other: str

    @property
    def is_alias(self) -> bool:
        return "/" not in self.path


class Enabling(NamedTuple):
    """What enabling a unit comes to.

    faults: what systemctl will not do, or passes over. hidden: a link is named by what only the host can tell.
    """

    links: Tuple[Link, ...]
    faults: Tuple[Problem, ...]
    hidden: bool


def enabled_as(unit: str, loadpath: LoadPath) -> Optional[str]:
    """The name that is linked when a unit is enabled: a template's default instance.

    "" if it has none, None where a specifier hides it.
    """
    name = parse_name(unit)
    if not name.is_template:
        return unit
    linked = unit
    for value in loadpath.install(unit).get("DefaultInstance", ()):
        given = in_install(value, linked)
        if _OF_HOST.search(given):
            return None
        linked = f"{name.prefix}@{given}.{name.kind}"
    return linked if linked != unit and not misnamed(linked) else ""


def named_aliases(unit: str, loadpath: LoadPath) -> List[str]:
    """The other names that an [Install] section gives a unit; of an instance a template stands for its instance."""
    if misnamed(unit) or "Alias" not in loadpath.install(unit):
        return []
    name = parse_name(unit)
    found = _words(loadpath.install(unit), "Alias", enabled_as(unit, loadpath) or unit)
    return [with_instance(each, name.instance) if name.instance and is_template(each) else each for each in found]


def _bad_default(unit: str, loadpath: LoadPath) -> str:
    """What is wrong with its default instance, "" if nothing is: systemctl reads no unit with such a one."""
    name = parse_name(unit)
    given = loadpath.install(unit).get("DefaultInstance", ()) if name.is_template else ()
    values = [in_install(each, unit) for each in given]
    return next(
        filter(None, (misnamed(f"{name.prefix}@{each}.{name.kind}") for each in values if not _OF_HOST.search(each))),
        "",
    )


def installs(unit: str, loadpath: LoadPath) -> bool:
    """Is there anything to enable? An [Install] section whose directives are all reset is none."""
    return any(values for directive, values in loadpath.install(unit).items() if directive != "DefaultInstance")


def also(unit: str, loadpath: LoadPath) -> List[str]:
    """The units that are enabled, and disabled, with it. There a backslash is lost, and quotes do not count."""
    texts = loadpath.install(unit).get("Also", ())
    return [in_install(word.replace("\\", ""), unit) for text in texts for word in text.split()]


def enabling(unit: str, loadpath: LoadPath, version: int, folder: str) -> Enabling:
    """What `systemctl enable` makes for a unit alone, without what Also= names. folder: where it makes links."""
    asked = (unit, version, folder)
    if asked not in loadpath.enabled:
        loadpath.enabled[asked] = _enabling(*asked, loadpath)
    return loadpath.enabled[asked]


def _enabling(unit: str, version: int, folder: str, loadpath: LoadPath) -> Enabling:
    linked = enabled_as(unit, loadpath)
    if linked is None:
        return Enabling((), (), hidden=True)
    text = loadpath.install(unit)
    own_file = (loadpath.fragment(unit) or "") == f"{folder}/{unit}"
    found: List[Union[Link, Problem, None]] = []
    for directive, suffix, since in WANTING:
        if version >= since and directive in text:
            found += [
                _wanted(unit, linked, other, directive, suffix, version)
                for other in _words(text, directive, linked or unit)
            ]
    found += [_alias(unit, alias, version, own_file) for alias in named_aliases(unit, loadpath)]
    found += _nowhere(unit, loadpath, version)
    complaint = _bad_default(unit, loadpath)
    if complaint:
        found = [_MISNAMED.problem(unit, "Install", "DefaultInstance", complaint=complaint)]
    own = Link(unit, "Alias", unit)
    links = tuple(dict.fromkeys(each for each in found if isinstance(each, Link) and each != own))
    faults = tuple(dict.fromkeys(each for each in found if isinstance(each, Problem)))
    return Enabling(links, faults, hidden=any(each is None for each in found))


def _words(text: Mapping[str, Sequence[str]], directive: str, unit: str) -> List[str]:
    found = [word for value in text.get(directive, ()) for word in _WORD.findall(value)]
    return [in_install(word.replace('"', "").replace("'", ""), unit) for word in found]


def _wanted(
    unit: str, linked: str, other: str, directive: str, suffix: str, version: int
) -> Union[Link, Problem, None]:
    """None: only the host can tell which link that is."""
    if _OF_HOST.search(other):
        return None
    complaint = misnamed(other, "target")
    if complaint:
        return _MISNAMED.problem(unit, "Install", directive, complaint=complaint)
    if not linked and parse_name(other).instance is None:
        return _NO_INSTANCE.problem(unit, "Install", directive, other=other)
    if not linked and version < _TEMPLATES_SINCE:
        return _TOO_OLD.problem(unit, "Install", directive)
    return Link(f"{other}{suffix}/{linked or unit}", directive, other)


def _alias(unit: str, alias: str, version: int, own_file: bool) -> Union[Link, Problem, None]:
    """None: only the host can tell which link that is."""
    kind = kind_of(unit)
    if not kind.names.may_alias:
        return _NO_ALIASES.problem(unit, "Install", "Alias", kind=kind.name)
    if _OF_HOST.search(alias):
        return None
    if "/" in alias:
        return _by_path(unit, alias)
    complaint = misnamed(alias)
    if complaint:
        return _MISNAMED.problem(unit, "Install", "Alias", complaint=complaint)
    if alias == unit and version < _TEMPLATES_SINCE and own_file:
        return _OWN_NAME.problem(unit, "Install", "Alias")
    return _fault(unit, alias) or Link(alias, "Alias", alias)


def _fault(unit: str, alias: str) -> Optional[Problem]:
    name, other = parse_name(unit), parse_name(alias)
    if other.kind != name.kind:
        return _OTHER_TYPE.problem(unit, "Install", "Alias", alias=alias, kind=name.kind)
    alike = name.instance == other.instance or (name.is_template and bool(other.instance))
    if alike:
        return None
    form = "a template" if other.is_template else "an instance" if other.instance else "no instance"
    return _OTHER_FORM.problem(unit, "Install", "Alias", alias=alias, form=form)


def _by_path(unit: str, alias: str) -> Union[Link, Problem]:
    """Of old an alias could be a link in a folder of another unit, such as other.target.wants/UNIT."""
    folder, _slash, name = alias.rpartition("/")
    other = next((folder[: -len(each)] for each in _SUFFIXES if folder.endswith(each)), "")
    if misnamed(other) or misnamed(name):
        return _BAD_PATH.problem(unit, "Install", "Alias", alias=alias)
    linked = parse_name(name)
    fits = (name == unit and not linked.is_template) or (linked.template == unit and linked.is_template is False)
    fits = fits or (name == unit and is_template(other))
    return Link(alias, "Alias", other) if fits else _BAD_PATH.problem(unit, "Install", "Alias", alias=alias)


def _nowhere(unit: str, loadpath: LoadPath, version: int) -> Iterator[Problem]:
    for other in dict.fromkeys(also(unit, loadpath)):
        complaint = misnamed(other)
        if _OF_HOST.search(other):
            continue
        if complaint:
            yield _MISNAMED.problem(unit, "Install", "Also", complaint=complaint)
        elif loadpath.fragment(other) is None:
            rule = _ALSO_NOWHERE if version < _TEMPLATES_SINCE else _ALSO_PASSED_OVER
            yield rule.problem(unit, "Install", "Also", other=other)


def enabled_together(unit: str, loadpath: LoadPath) -> List[str]:
    """A unit, and all that Also= has enabled with it: those that are there, and no other names of units."""
    found = {unit: None}
    ahead = [unit]
    while ahead:
        for other in also(ahead.pop(), loadpath):
            if other not in found and not misnamed(other) and _is_enabled_along(other, loadpath):
                found[other] = None
                ahead.append(other)
    return list(found)


def _is_enabled_along(unit: str, loadpath: LoadPath) -> bool:
    return loadpath.defines(unit) and loadpath.primary(unit) == unit and not _bad_default(unit, loadpath)
