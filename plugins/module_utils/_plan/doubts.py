# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What systemd takes without a word and hardly anyone means. Pure, and private to the collection."""

from __future__ import annotations

import re
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from .._desired.options import RUNNING
from .._desired.stack import UnitWanted
from .._host.graph import Graph
from .._syntax.activation import starts
from .._syntax.install import installs
from .._syntax.kinds import File, kind_of
from .._syntax.loadpath import LoadPath, entries
from .._syntax.meaning import last, words
from .._syntax.names import misnamed, parse_pattern
from .._syntax.relations import PULLS_IN, WISHES
from .._syntax.rule import Problem, Rule, Severity, shown
from .._syntax.specifiers import in_name
from .._syntax.unitfile import Entry
from .._syntax.values import variables
from .._syntax.words import COMMANDS, TELLING
from .enablement import links_of
from .plan import Plan
from .references import View, near

_NOTHING = Rule(
    "nothing-declared",
    Severity.WARNING,
    "this stack has nothing in it",
    "give it services, units or dropins (of the role stack, stack_services and the like), or say state: absent",
    "the module stack",
)
_WANTS_NOWHERE = Rule(
    "wants-nowhere",
    Severity.WARNING,
    "there is no {other} on this host, and systemd passes over that without a word",
    "{mend}{near}",
    "systemd.unit(5), Wants=, Upholds=, OnFailure= and OnSuccess=",
    may_come=True,
)
_DATE_RULE = Rule(
    "date-format",
    Severity.WARNING,
    "systemd puts something else in the place of {word} before the program sees it (as %m is the ID of the machine)",
    "in a date's format write each percent sign as %%",
    "systemd.unit(5), Specifiers",
    of_line=True,
)
_EMPTY = Rule(
    "specifier-empty",
    Severity.WARNING,
    "{word} stands for nothing here, as this is neither a template nor an instance of one",
    "name it {template} and give it instances, or leave {word} out",
    "systemd.unit(5), Specifiers",
    of_line=True,
)
_TWICE_SET = Rule(
    "environment-twice",
    Severity.WARNING,
    "{names} is set under environment and under secrets, and the program is given what is under secrets",
    "take it out of one of them",
    "systemd.exec(5), EnvironmentFile=",
)
_TYPE_TWICE = Rule(
    "type-twice",
    Severity.WARNING,
    "its name has the type of unit twice",
    "did you mean {meant}?",
    "systemd.unit(5), unit names",
)
_MOUNT_OPTIONS = Rule(
    "mount-options",
    Severity.WARNING,
    "a blank in {options} counts as a part of an option's name, which no file system has",
    "commas alone stand between options: {meant}",
    "systemd.mount(5) and systemd.swap(5), Options=; mount(8)",
    of_line=True,
)
CYCLE = Rule(
    "ordering-cycle",
    Severity.ERROR,
    "an ordering cycle: it is ordered after itself, by way of {others}",
    "take one of these orders away, since systemd would drop one of the units at boot",
    "systemd.unit(5), Before= and After=",
)
_NOT_AT_BOOT = Rule(
    "not-at-boot",
    Severity.WARNING,
    "it runs now, and nothing starts it at boot",
    "give it an [Install] section (install: {{WantedBy: {target}}}), or say enabled: false if that is meant",
    "systemd.unit(5), [Install] section options",
)
_BOOTED_PAST = Rule(
    "not-at-boot",
    Severity.WARNING,
    "it runs now, and at boot {wanting} alone would start it, but this host boots into {reached} (default.target)",
    "say WantedBy: {reached}",
    "systemd.special(7), default.target; bootup(7)",
)
# Where a boot ends that goes no further than the second of these (systemd.special(7)).
_FURTHER, _REACHED = frozenset(("graphical.target", "runlevel5.target")), "multi-user.target"
_NOT_RENDERED = Rule(
    "not-rendered",
    Severity.WARNING,
    "nobody fills in {word}, so systemd takes it as it is",
    "read a template of Jinja by lookup('template', ...), and not by lookup('file', ...)",
    "the lookup plugins template and file",
)
# A variable, with filters or without; those of other languages, as in {{.Name}}, have a dot in front or words.
_JINJA = re.compile(r"\{\{-? *[A-Za-z_]\w*(?:\.\w+|\[[^\]{}]+\])* *(?:\|[^{}]*)?-?\}\}")
# What a text has, in UTF-8, that has one of them.
_LOOK_ALIKES = (b"\xe2\x80", b"\xe2\x81", b"\xe2\x88", b"\xc2\xa0", b"\xef\xbb")
# The word that tells date(1) a format.
_DATE_FORMAT = re.compile(r"(?<=[\s\"'(`])\+[^\s\"'()`]*%[A-Za-z][^\s\"')`]*")
# Letters of dates side by side, as strftime(3) has them; with blanks between them only within quotes, where they are
# one word. Names of months and days are those of specifiers that have their uses side by side, such as %H-%b.
_DATE = r"%[YmdHMSyjbBaAe](?:{between}%[YmdHMSyjbBaAeT])+"
_IN_WORD = re.compile(_DATE.format(between="[-_:/.T]?"))
_IN_QUOTES = re.compile(_DATE.format(between="[-_:/.T, ]{0,2}"))
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_OF_INSTANCE = re.compile("%[iI]")
_TELLING_VALUE = re.compile(r"\$|://|[,;]\s|pass|pwd|secret|token|key|credential", re.IGNORECASE)
_OF_NUMBERS, _OF_DAYS = frozenset("YmdHMSyj"), frozenset("dYy")
_OF_SYSTEM = (
    "a user's manager knows no units of the system, so take it out (of After= too), declare it too, or mend its name"
)
_IN_DOUBLE_QUOTES = re.compile(r'"[^"]*"')


def _own_entries(view: View, *having: bytes) -> Iterator[Tuple[str, Sequence[Entry]]]:
    """What this declaration itself says, by the names it says it of. having: a unit's text without any is left out."""
    desired = view.desired
    for unit in desired.units:
        content = desired.files[unit.path].content if unit.path else b""
        if any(each in content for each in having):
            yield unit.name.text, entries(content)
    for dropin in desired.dropins:
        yield dropin.unit.text, dropin.entries


def is_empty(view: View) -> Iterator[Problem]:
    desired = view.desired
    if not (desired.units or desired.dropins or desired.prune):
        yield _NOTHING.problem()


def wants_nowhere(view: View) -> Iterator[Problem]:
    """Wishes for units that are not there; what is needed and is not there is what verify speaks of."""
    for name, own in _own_entries(view, *(wish.encode() for wish in WISHES)):
        ours = dict.fromkeys(_wished(own))
        theirs = set(_wished(of_others(name, view))) if ours else ()
        for directive, word in (each for each in ours if each not in theirs):
            other = in_name(word, name)
            if "%" in other or misnamed(other) or kind_of(other).file is not File.NEEDED:
                continue
            if not view.is_there(other) and other not in view.asked_in_vain:
                mend = _OF_SYSTEM if view.observed.places.scope.of_users else "declare it too, or mend its name"
                yield _WANTS_NOWHERE.problem(name, "Unit", directive, other=other, mend=mend, near=near(other, view))


def _wished(text: Sequence[Entry]) -> Iterator[Tuple[str, str]]:
    yield from ((each.directive, word) for each in text if each.directive in WISHES for word in each.value.split())


def of_others(name: str, view: View) -> Sequence[Entry]:
    """What a package's file of that name says, be it in force or not: what it wishes for may well be optional."""
    paths = (f"{folder}/{name}" for folder in view.after.folders)
    seen = [view.observed.foreign.get(path) for path in paths]
    return [entry for each in seen if each for entry in entries(each.content or b"")]


def shell_words(view: View) -> Iterator[Problem]:
    for name, own in _own_entries(view, b"Exec"):
        commands = (each for each in own if each.directive.startswith("Exec") and TELLING.search(each.value))
        telling = [each for each in commands if each.section == kind_of(name).section]
        if not telling:
            continue
        from . import shells  # noqa: PLC0415 (only where a command has what a shell would read)

        lines: Dict[str, List[str]] = {}
        for each in telling:
            lines.setdefault(each.directive, []).append(each.value)
            yield from shells.of_line(name, each.section, each.directive, each.value)
            if each.directive == "ExecStart":
                yield from shells.left_behind(name, each.value, view.after.effective(name))
        yield from shells.unset(name, lines, view)


def values_as_they_are(view: View) -> Iterator[Problem]:
    for name, own in _own_entries(view, b"Environment"):
        if any(each.directive == "Environment" and _TELLING_VALUE.search(each.value) for each in own):
            from .variables import as_they_are, open_secrets, parted  # noqa: PLC0415 (only where one may have what is not meant so)

            yield from as_they_are(name, own)
            yield from parted(name, own)
            if view.observed.places.scope.takes_secrets:
                yield from open_secrets(name, own, _under_secrets(view).get(name, ()))


def taken_for_others(view: View) -> Iterator[Problem]:
    for name, own in _own_entries(view, *_LOOK_ALIKES):
        if not all(each.value.isascii() for each in own):
            from .lookalikes import look_alikes  # noqa: PLC0415 (only where there may be one)

            yield from look_alikes(name, own)


def not_rendered(view: View) -> Iterator[Problem]:
    """What Ansible fills in, but of a file that is read as it is. A program may have such words of its own."""
    for name, own in _own_entries(view, b"{{"):
        for each in own:
            value = each.value.partition(" --")[0] if each.directive in COMMANDS else each.value
            found = _JINJA.search(value) if "{{" in value else None
            if found:
                yield _NOT_RENDERED.problem(name, each.section, each.directive, word=found.group())


def date_formats(view: View) -> Iterator[Problem]:
    """Formats of a date whose letters happen to be specifiers; of the other letters verify complains."""
    for name, own in _own_entries(view, b"%"):
        for each in own:
            is_formatted = "%" in each.value and each.directive.startswith("Exec")
            if is_formatted and each.section == kind_of(name).section:
                found = _date_format(each.value.replace("%%", ""))
                if found:
                    yield _DATE_RULE.problem(name, each.section, each.directive, word=shown(found))


def _date_format(value: str) -> str:
    """What looks like a format of a date, "" if nothing does."""
    for found in _DATE_FORMAT.finditer(value):
        return found.group()
    whole = [(_IN_QUOTES, each.group()) for each in _QUOTED.finditer(value)]
    for pattern, text in (*whole, (_IN_WORD, _QUOTED.sub("", value))):
        for found in pattern.finditer(text):
            letters = set(re.findall("%(.)", found.group()))
            if letters <= _OF_NUMBERS or letters & _OF_DAYS:
                return found.group()
    return ""


def without_instance(view: View) -> Iterator[Problem]:
    """Specifiers of an instance where there is none, so that they stand for nothing."""
    for name, own in _own_entries(view, b"%"):
        unit = parse_pattern(name)
        if unit.stands_for_others or unit.is_template or unit.instance is not None:
            continue
        for each in (each for each in own if "%" in each.value):
            found = _OF_INSTANCE.search(each.value.replace("%%", ""))
            if found:
                told = {"word": found.group(), "template": f"{unit.prefix}@.{unit.kind}"}
                yield _EMPTY.problem(name, each.section, each.directive, **told)


def named_twice(view: View) -> Iterator[Problem]:
    """Names such as web.service.service, as they come of a suffix after what has one; a path may well end so."""
    declared = [(unit.name, bool(unit.path)) for unit in view.desired.units if unit.state != "absent"]
    declared += [(dropin.unit, False) for dropin in view.desired.dropins if dropin.present]
    for name, is_ours in declared:
        suffix = f".{name.kind}"
        is_twice = name.prefix.endswith(suffix) and not kind_of(name.text).is_named_by_path
        if is_twice and (is_ours or not view.is_there(name.text)):
            yield _TYPE_TWICE.problem(name.text, meant=name.text.replace(suffix, "", 1))


def mount_options(view: View) -> Iterator[Problem]:
    for name, own in _own_entries(view, b"Options"):
        kind = kind_of(name)
        for each in own if kind.is_of_kernel else ():
            if (each.section, each.directive) == (kind.section, "Options"):
                names = (option.partition("=")[0] for option in _IN_DOUBLE_QUOTES.sub("", each.value).split(","))
                if any(re.search(r"\s", option) for option in names):
                    told = {"options": shown(each.value), "meant": shown(_with_commas(each.value))}
                    yield _MOUNT_OPTIONS.problem(name, each.section, each.directive, **told)


def _with_commas(options: str) -> str:
    parts = (option.partition("=") for option in options.split(","))
    return ",".join(",".join(name.split()) + sign + value.strip() for name, sign, value in parts)


def _under_secrets(view: View) -> Dict[str, Set[str]]:
    """The variables in the files of secrets, by unit."""
    hidden: Dict[str, Set[str]] = {}
    for wanted in view.desired.files.values():
        if wanted.secret:
            names = {line.partition("=")[0] for line in wanted.cover.splitlines() if "=" in line}
            hidden.setdefault(wanted.unit, set()).update(names)
    return hidden


def set_twice(view: View) -> Iterator[Problem]:
    """Variables that are both in a text and in a file of secrets, which comes later (systemd.exec(5))."""
    hidden = _under_secrets(view)
    for name, own in _own_entries(view, b"Environment") if hidden else ():
        written = (each for each in own if each.directive == "Environment")
        both = {var for each in written for var in variables(each.value)} & hidden.get(name, set())
        if both:
            yield _TWICE_SET.problem(name, kind_of(name).section, "Environment", names=", ".join(sorted(both)))


def slipped(view: View) -> Iterator[Problem]:
    yield from (problem for wanted in view.desired.files.values() for problem in wanted.doubts)


def cycles(view: View) -> Iterator[Problem]:
    """Units that this declaration starts or enables, of which one is ordered after another, and that after it."""
    names = [
        each
        for unit in view.desired.units
        for each in unit.members
        if unit.path and (unit.meant(each).state in RUNNING or unit.meant(each).enabled)
    ]
    later: Dict[str, Dict[str, str]] = {name: {} for name in names}
    for name in names:
        text = view.after.effective(name)
        for other in words(text, "Unit", "After"):
            later[name].setdefault(in_name(other, name), "After")
        for other in words(text, "Unit", "Before"):
            later.get(in_name(other, name), {}).setdefault(name, "")
    said: FrozenSet[str] = frozenset()
    for name in names:
        way = None if name in said else _way_back(name, later)
        if way:
            said = said.union(way)
            directive = later[name][way[0]] or "Before"
            others = ", ".join(way[:-1]) or "its own name"
            yield CYCLE.problem(name, "Unit", directive, others=others)


def _way_back(name: str, later: Mapping[str, Mapping[str, str]]) -> Optional[List[str]]:
    """The units from one to itself, each ordered after the next; the shortest way, None if there is none."""
    ways: List[List[str]] = [[each] for each in later[name] if each in later]
    seen = set(later[name])
    while ways:
        way = ways.pop(0)
        if way[-1] == name:
            return way
        for each in later[way[-1]]:
            if each in later and (each == name or each not in seen):
                seen.add(each)
                ways.append([*way, each])
    return None


def not_at_boot(view: View, plan: Plan, graph: Graph) -> Iterator[Problem]:
    """Units that this run starts, and that are gone after the next boot: neither enabled, nor wanted by anything."""
    found = [each for unit in view.desired.units if unit.path for each in _begun(unit, view, plan)]
    asked = _asked_for(view.after) if found else frozenset()
    scope = view.observed.places.scope
    for unit in found:
        if unit not in asked and not view.observed.links_to(unit) and not _is_asked_for(unit, view, graph):
            yield _NOT_AT_BOOT.problem(unit, target=kind_of(unit).boot_target(scope.at_boot))
    yield from _booted_past(view, plan)


def _booted_past(view: View, plan: Plan) -> Iterator[Problem]:
    """Units that this run starts, of a target that a boot of this host does not come to."""
    if view.after.primary("default.target") != _REACHED:
        return
    for unit in view.desired.units:
        for each in unit.members if unit.path else ():
            enabled = each in plan.jobs["start"] and unit.meant(each).enabled
            links = links_of(each, view.after, view.observed).links if enabled else ()
            wanting = {link.other for link in links if not link.is_alias}
            if wanting and wanting <= _FURTHER:
                told = {"wanting": " and ".join(sorted(wanting)), "reached": _REACHED}
                yield _BOOTED_PAST.problem(each, "Install", "WantedBy", **told)


def _begun(unit: UnitWanted, view: View, plan: Plan) -> Iterator[str]:
    """Those of an entry that are started, where it leaves open whether they are enabled and there is nothing to enable.

    Where no manager runs, what is new is started by a later boot.
    """
    written = not view.observed.manager.live and any(each.path == unit.path for each in view.differences.write)
    for each in unit.members:
        meant = unit.meant(each)
        is_left_open = meant.enabled is None and not installs(each, view.after)
        if is_left_open and meant.state in RUNNING and (written or each in plan.jobs["start"]):
            yield each


def _asked_for(after: LoadPath) -> FrozenSet[str]:
    """What units of which the text is known pull in, or start at a time of their own."""
    found: Set[str] = set()
    for path, content in after.contents.items():
        folder, _slash, name = path.rpartition("/")
        unit = name if folder in after.folders else folder.rpartition("/")[2].rpartition(".d")[0]
        if misnamed(unit) or not (folder in after.folders or folder in after.dropins):
            continue
        if folder in after.folders and after.fragment(unit) != path:  # another one of its name is in force
            continue
        for entry in entries(content):
            if entry.section == "Unit" and entry.directive in PULLS_IN:
                found.update(in_name(word, unit) for word in entry.value.split())
        if kind_of(unit).is_starter:
            found.add(starts(unit, after))
    return frozenset(found)


def _is_asked_for(unit: str, view: View, graph: Graph) -> bool:
    """By what systemd has in memory, by the bus, or by its kind: a slice comes with what is in it."""
    if kind_of(unit).file is File.OPTIONAL or last(view.after.effective(unit), "Service", "BusName"):
        return True
    if not view.observed.manager.live:
        return False
    from .consequences import is_asked_for  # noqa: PLC0415 (only where something is started anew)

    return is_asked_for(unit, graph)
