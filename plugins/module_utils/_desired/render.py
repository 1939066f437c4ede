# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""From one entry's parameters to the text of its file: sections, environment, secrets, stamp. Pure.

Private to the collection.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .._host.places import Places
from .._syntax import unitfile, values
from .._syntax.characters import to_utf8
from .._syntax.directives import UNKNOWN, Catalogue
from .._syntax.kinds import KINDS
from .._syntax.names import NAME_MAX, NAME_SHOWN
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, within
from . import habits, slips
from .options import HIDDEN_OPTIONS, OF_INSTANCES, SECTION_OPTIONS
from .stamp import Assignment, Ingredients, assignment, ingredients, without_stamp

MARK = "# Managed by Ansible (unitwright.systemd), changes are overwritten. stack="
_MARK_BYTES = MARK.encode()
SECRET_MODE = 0o600
# A secret with fewer characters is a part of ordinary words; hiding it would only garble the text.
SHORTEST_HIDDEN = 4

_SECRETS_GLOBAL = Rule(
    "secrets-global",
    Severity.ERROR,
    "a root-only file cannot be read by users' managers",
    "leave out secrets and credentials, and name a file that each user has (EnvironmentFile=%h/...)",
    "systemd.exec(5), EnvironmentFile=",
)
_NO_MAPPING = Rule(
    "secrets-mapping",
    Severity.ERROR,
    "{option} is no mapping of names to values",
    "write each name as a key of its own, and what is secret behind its colon",
    "the options secrets and credentials",
)
_UNHEEDED = Rule(
    "unheeded",
    Severity.WARNING,
    "{option} does nothing in scope {scope}, where no unit is started, restarted or looked at",
    "leave it out, or give it to the user's own units in scope user",
    "the options scope, health and triggers",
)
_TOO_LONG = Rule(
    "long-name",
    Severity.ERROR,
    "the file or folder {name} that it needs would have a name of {size} bytes, and {most} is the most",
    "shorten the name of the unit or drop-in",
    "the kernel, NAME_MAX",
)
_CREDENTIAL = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_@.-]{0,254}")

Params = Mapping[str, Any]


class HostFacts(NamedTuple):
    """What a rendering depends on besides the parameters.

    places: the folders of the scope. catalogue: the directives that the host's systemd knows, None where it cannot be
    asked. key: the host's secret for stamps. digests: SHA-256 of each trigger file, None where the file is not there.
    changed_at: when those files last changed in any way, in seconds since the epoch.
    """

    places: Places
    catalogue: Catalogue
    key: bytes
    digests: Mapping[str, Optional[str]]
    changed_at: Mapping[str, float] = MappingProxyType({})


class FileWanted(NamedTuple):
    """A file as it shall be.

    path, content, mode: of the file. unit: the one that it is for. secret: it is shown to nobody. cover: what a diff
    shows in the place of a secret. owner: its uid and gid, None for those that all our files have. made_of: what its
    stamp stands for, None where it has none. doubts: what may not be meant in the entry that it comes from.
    """

    path: str
    content: bytes
    mode: int
    unit: str
    secret: bool = False
    cover: str = ""
    owner: Optional[Tuple[int, int]] = None
    made_of: Optional[Ingredients] = None
    doubts: Tuple[Problem, ...] = ()

    @property
    def shown(self) -> str:
        """What a diff may show of it."""
        return self.cover if self.secret else without_stamp(self.content)


class Rendered(NamedTuple):
    """The files of one unit or drop-in, and the text of the main one as assignments."""

    files: Tuple[FileWanted, ...]
    entries: Tuple[unitfile.Entry, ...]


def owner_of(content: bytes) -> Optional[str]:
    """The stack a file is marked as belonging to, None if it has no mark of ours."""
    if not content.startswith(_MARK_BYTES):
        return None
    return content[len(_MARK_BYTES) :].split(b"\n", 1)[0].decode("utf-8", "replace").strip()


def has_text(params: Params) -> bool:
    """Does an entry bring a file, or is it only about the state of a unit that someone else owns?"""
    return params.get("content") is not None or any(params.get(option) is not None for option in SECTION_OPTIONS)


def secret_values(params: Params, option: str) -> Mapping[str, object]:
    """What an entry gives under one of the hidden options; nothing, where that is no mapping and is refused."""
    given = params.get(option)
    return given if isinstance(given, dict) else {}


def _unnamed_secrets(params: Params) -> Iterator[Problem]:
    """Hidden options that are no mapping, which Ansible is kept from making of text: it would show what it makes."""
    for option in HIDDEN_OPTIONS:
        if not isinstance(params.get(option), (dict, type(None))):
            yield _NO_MAPPING.problem(params["name"], option=option).about(option)


def render(params: Params, kind: str, stem: str, path: str, owner: str, facts: HostFacts) -> Rendered:
    """Render one entry. stem names its environment file; kind is the unit's suffix. Raises Problems, all at once."""
    unit = params["name"]
    problems: List[Problem] = list(_unnamed_secrets(params))
    sections = _sections(params, kind, facts.catalogue, unit, problems)
    problems += habits.of_lines(unit, sections)
    problems += habits.of_lists(params, kind)
    own = KINDS[kind].section
    extra, secret_files = _environment(params, own, stem, owner, facts, problems)
    if problems:
        raise Problems(problems, rest=_rest(params, sections, path, problems))
    every = [*sections, (own, extra)]
    made_of = ingredients(params, kind, every, facts.places.scope, facts.key, facts.digests, facts.catalogue)
    extra += [assignment(made_of)] if made_of else []
    try:
        text = _text(params, sections, own, extra, owner)
        entries = unitfile.parse(text)
    except Refused as refused:
        raise Problems([unitfile.SYNTAX.said(str(refused), unit)]) from None
    doubts = (*slips.slipped(params), *_unheeded(params, facts.places))
    files = (FileWanted(path, text.encode(), 0o644, unit, made_of=made_of, doubts=doubts), *secret_files)
    problems += _too_long(files)
    if problems:
        raise Problems(problems)
    return Rendered(files, entries)


def _unheeded(params: Params, places: Places) -> Iterator[Problem]:
    """What is for a run that starts or restarts something."""
    if places.scope.has_manager:
        return
    of_each = [each.get("health") for each in (params.get(OF_INSTANCES) or {}).values()]
    given = {"health": [params.get("health"), *of_each], "triggers": [params.get("triggers")]}
    for option, declared in given.items():
        if any(value is not None for each in declared for value in (each or {}).values()):
            yield _UNHEEDED.problem(params["name"], option=option, scope=places.scope.name)


def _rest(
    params: Params, sections: Sequence[Tuple[str, Sequence[Assignment]]], path: str, problems: Sequence[Problem]
) -> Optional[Rendered]:
    """The lines without a mistake, None where there are none: an empty file would mask the unit."""
    bad = {(each.section, each.directive) for each in problems}
    kept = [(section, [each for each in given if (section, each[0]) not in bad]) for section, given in sections]
    if not any(given for _section, given in kept):
        return None
    try:
        text = unitfile.render([each for each in kept if each[1]])
        doubts = tuple(slips.slipped(params))
        return Rendered((FileWanted(path, text.encode(), 0o644, params["name"], doubts=doubts),), unitfile.parse(text))
    except Refused:
        return None


def _too_long(files: Sequence[FileWanted]) -> Iterator[Problem]:
    """Names that no file system takes: those of a unit's files and folders are its own and something more."""
    for wanted in files:
        name = max(wanted.path.encode().split(b"/"), key=len)
        if len(name) > NAME_MAX:
            start = name.decode()[:NAME_SHOWN] + "..."
            yield _TOO_LONG.problem(wanted.unit, name=start, size=len(name), most=NAME_MAX)


def _sections(
    params: Params, kind: str, catalogue: Catalogue, unit: str, problems: List[Problem]
) -> List[Tuple[str, List[Assignment]]]:
    """The declared directives as text, section by section in the order Unit, own, Install."""
    if params.get("content") is not None:
        return _parsed(params["content"], kind, catalogue, unit, problems)
    sections = []
    for option in SECTION_OPTIONS:
        given = params.get(option)
        if given is None:
            continue
        section = option.capitalize()
        assignments: List[Assignment] = []
        foreign = catalogue.complaint(kind, section) if given else None
        if foreign:
            problems.append(UNKNOWN.said(foreign, unit, section, str(next(iter(given)))))
            continue
        for directive, value in ((str(directive), value) for directive, value in given.items()):
            complaint = catalogue.complaint(kind, section, directive)
            if complaint:
                problems.append(UNKNOWN.said(complaint, unit, section, directive))
                continue
            try:
                if isinstance(value, (list, tuple)):
                    values.refuse_list(value, section, directive, catalogue.holds_one(section, directive))
                texts = values.to_values(value, catalogue.type_of(section, directive), directive)
            except Refused as refused:
                problems.append(values.VALUE.said(str(refused), unit, section, directive, refused.path))
                continue
            assignments += [(directive, text) for text in texts]
        sections.append((section, assignments))
    return sections


def _parsed(
    content: str, kind: str, catalogue: Catalogue, unit: str, problems: List[Problem]
) -> List[Tuple[str, List[Assignment]]]:
    try:
        unitfile.refuse_torn(content)
        entries = unitfile.parse(content)
    except Refused as refused:
        problems.append(unitfile.SYNTAX.said(_no_text(content) or str(refused), unit, option="content"))
        return []
    sections: Dict[str, List[Assignment]] = {}
    foreign: Dict[str, Optional[str]] = {}  # each told once, and not of all its directives
    for entry in entries:
        complaint = catalogue.complaint(kind, entry.section, entry.directive)
        if complaint:
            if complaint != foreign.get(entry.section):
                problems.append(UNKNOWN.said(complaint, unit, entry.section, entry.directive))
            foreign[entry.section] = catalogue.complaint(kind, entry.section)
            continue
        sections.setdefault(entry.section, []).append((entry.directive, entry.value))
    return list(sections.items())


def _no_text(content: str) -> str:
    """What has been given in the place of a unit's text, "" where it may be one."""
    if re.match(r"\{['\"]|\[['\"]", content):
        return (
            "it takes text (content: |), and of it Ansible has made one: sections are options such as unit and service"
        )
    if re.fullmatch(r"/\S+", content.strip()):
        return "it is the text itself, and no path: the lookup ansible.builtin.file reads a file of the controller"
    return ""


def _environment(
    params: Params, own: str, stem: str, owner: str, facts: HostFacts, problems: List[Problem]
) -> Tuple[List[Assignment], List[FileWanted]]:
    """Directives and files for environment, secrets and credentials. own: the section that they go to."""
    unit = params["name"]
    places = facts.places
    if not places.scope.takes_secrets and any(params.get(option) for option in HIDDEN_OPTIONS):
        problems += [_SECRETS_GLOBAL.problem(unit).about(option) for option in HIDDEN_OPTIONS if params.get(option)][:1]
        return [], []
    params = {**params, **{option: secret_values(params, option) for option in HIDDEN_OPTIONS}}
    extra: List[Assignment] = []
    files: List[FileWanted] = []
    for name, value in (params.get("environment") or {}).items():
        try:
            extra.append(("Environment", values.environment_value(str(name), value)))
        except Refused as refused:
            problems.append(values.ENVIRONMENT.said(str(refused), unit, own, "Environment", str(name)))
    try:
        if params.get("secrets"):
            path = places.environment_file(owner, stem)
            with within("secrets"):
                content = (MARK + owner + "\n" + values.environment_file(params["secrets"])).encode()
            # systemd takes it for a pattern (systemd.exec(5), glob(7)), and a name may hold what that is made of.
            pattern = re.sub(r"([\\*?\[])", r"\\\1", _literal(places.inside(path)))
            extra.append(("EnvironmentFile", pattern))
            files.append(
                FileWanted(path, content, SECRET_MODE, unit, secret=True, cover=_names_only(params["secrets"]))
            )
    except Refused as refused:
        problems.append(values.ENVIRONMENT.said(str(refused), unit, option=refused.path))
    for number, (name, value) in enumerate((params.get("credentials") or {}).items(), 1):
        place = "credentials"
        try:
            path = places.credential_file(owner, stem, _credential_name(str(name), number))
            place += f".{name}"
            content = _credential_text(str(name), value)
        except Refused as refused:
            problems.append(values.ENVIRONMENT.said(str(refused), unit, option=place))
            continue
        extra.append(("LoadCredential", f"{name}:{_literal(places.inside(path))}"))
        files.append(FileWanted(path, content, SECRET_MODE, unit, secret=True, cover="(a credential, not shown)\n"))
    return extra, files


def _names_only(secrets: Mapping[str, object]) -> str:
    return "".join(f"{name}=(not shown)\n" for name in secrets)


def _literal(path: str) -> str:
    """A path for a directive that expands specifiers: a drop-in's name may hold a percent sign."""
    return path.replace("%", "%%")


def _credential_name(name: str, number: int) -> str:
    """systemd.exec(5), LoadCredential=: a file name up to a colon; quotes, specifiers and the like are undone.

    number: which of the names it is, as it stays unsaid: the value itself may have slipped into it.
    """
    if not _CREDENTIAL.fullmatch(name):
        allowed = "use letters, digits, '-', '_', '@' and '.', and give the value apart from it (password: value)"
        raise Refused(f"name {number} in credentials cannot name a credential: {allowed}")
    return name


def _credential_text(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        mend = "a file of the host is LoadCredential= of [Service]" if isinstance(value, dict) else "quote it"
        raise Refused(f"the credential {name} is text: {mend}")
    return to_utf8(value, f"the credential {name}")


def _text(
    params: Params,
    sections: Sequence[Tuple[str, Sequence[Assignment]]],
    own: str,
    extra: Sequence[Assignment],
    owner: str,
) -> str:
    mark = MARK[2:] + owner
    if params.get("content") is not None:
        # The text stays as it was written, comments and all; sections that repeat are merged (systemd.syntax(7)).
        content = str(params["content"]).lstrip("\ufeff").rstrip("\n")
        to_utf8(content, "content")
        text = unitfile.render([], header=[mark]) + content + "\n"
        return text + ("\n" + unitfile.render([(own, extra)]) if extra else "")
    merged = [(section, list(assignments)) for section, assignments in sections]
    if extra:
        if own not in dict(merged):
            merged.append((own, []))
        merged = [(section, [*given, *(extra if section == own else [])]) for section, given in merged]
    return unitfile.render(merged, header=[mark])
