# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Names of units, drop-ins and stacks, and systemd's escaping, by systemd.unit(5) and systemd-escape(1).

Private to the collection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import List, NamedTuple, Optional, Tuple

from .characters import to_utf8
from .kinds import DEFAULT_KIND, KINDS, File, Naming, kind_of
from .likeness import near
from .rule import Refused, Rule, Severity, legible, shown

UNIT_NAME = Rule(
    "unit-name",
    Severity.ERROR,
    "systemd takes no unit or drop-in of that name",
    "the message says how it is written, or escaped",
    "systemd.unit(5), systemd-escape(1)",
)
STACK_NAME = Rule(
    "stack-name",
    Severity.ERROR,
    "that cannot name a stack, or another owner",
    "1 to 64 letters, digits, '_' and '-', a letter or digit first",
    "the options name and adopt of the module stack",
)

# Suffixes of other files that lie beside units, or that units are made of, and what to do with them.
_OTHER_FILES = {
    **dict.fromkeys(
        ("container", "volume", "kube", "pod", "build", "image", "quadlet"),
        "is a file of podman's, of which its generator makes a unit: put the file there by another module, "
        "and name the unit that comes of it",
    ),
    "network": "is a file of podman's or of systemd-networkd's, and no unit: put it there by another module",
    "netdev": "is a file of systemd-networkd's, and no unit: put it there by another module",
    "link": "is a file of systemd-udevd's, and no unit: put it there by another module",
    "nspawn": "is a file of systemd-nspawn's, and no unit: put it there by another module",
    "preset": "is a list of presets, and no unit: say enabled: true or false of the units themselves",
    "conf": "is a drop-in or a configuration, and no unit: a drop-in is declared with the name of its unit, and "
    "its own name as dropin",
    "d": "is a folder of drop-ins: name the unit, without .d",
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PLAIN = frozenset(_LETTERS + ":_.")
_VALID = frozenset(_LETTERS + ":_.\\@-")
_WORD = re.compile(r"[A-Za-z0-9:_.\\@-]+")
# The most bytes of a file's name (NAME_MAX), and so of a unit's.
NAME_MAX = 255
# How much is shown of a name that is too long.
NAME_SHOWN = 40
# Between a unit and one of its drop-ins, where a slash cannot stand.
_OF_UNIT = ".d-"
_ESCAPED = re.compile(rb"\\x([0-9a-fA-F]{2})")
# What lies there a device unit is for (is_device_path()).
_DEVICES = ("/dev/", "/sys/")
_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class UnitName(NamedTuple):
    """A unit's name in its parts; `instance` is None without an @, and empty in a template."""

    text: str
    prefix: str
    instance: Optional[str]
    kind: str

    @property
    def is_template(self) -> bool:
        return self.instance == ""

    @property
    def stands_for_others(self) -> bool:
        """A template, a prefix of dashed names, a type: its files are part of other units, and it never runs itself."""
        return self.is_template or not self.prefix or (self.prefix.endswith("-") and self.text != "-." + self.kind)

    @property
    def template(self) -> Optional[str]:
        """The template of an instance ("a@.service" for "a@b.service"), None for any other name."""
        return f"{self.prefix}@.{self.kind}" if self.instance else None


@lru_cache(maxsize=None)
def parse_name(text: str) -> UnitName:
    """Take a unit's name apart, by the rules of systemd.unit(5) and systemd's unit_name_is_valid().

    Raises Refused with the mend. Stricter than systemd in one point: no leading dot, as systemd ignores hidden
    files in its unit folders.
    """
    if not text:
        raise Refused("a unit's name is empty: write for example 'app.service'")
    if "/" in text:
        raise Refused(_slash_message(text))
    stem, dot, kind = text.rpartition(".")
    if not dot or kind not in KINDS:
        other = _OTHER_FILES.get(kind) if stem else None
        if other:
            raise Refused(f"{shown(text)} {other}")
        raise Refused(_without_type(text, _with_suffix(text)))
    if not stem or text.startswith("."):
        raise Refused(
            f"{shown(text)} starts with a dot: a unit's name has text before the type, and files cannot be hidden"
        )
    prefix, at, instance = stem.partition("@")
    if not prefix:
        raise Refused(f"{shown(text)} has nothing before the @: a template is written 'name@.{kind}'")
    if not set(stem) <= _VALID:
        escaped = _mangle(prefix) + at + (instance if set(instance) <= _VALID else escape(instance))
        raise Refused(f"{shown(text)} contains characters a unit's name cannot have: escaped it is '{escaped}.{kind}'")
    if len(text) > NAME_MAX:
        raise Refused(f"'{text[:NAME_SHOWN]}...' has {len(text)} characters; a unit's name has at most {NAME_MAX}")
    if KINDS[kind].naming is Naming.PARENTS:
        _check_parents(text, stem)
    return UnitName(text, prefix, instance if at else None, kind)


@lru_cache(maxsize=None)
def parse_pattern(text: str) -> UnitName:
    """Take apart what a folder of drop-ins is named for: a unit, or what stands for many (systemd.unit(5)).

    "foo-.service" is for all whose names begin so, "foo-@.service" for such instances, "service" for all of the type.
    Raises Refused as parse_name does.
    """
    if text in KINDS:
        return UnitName(text, "", None, text)
    stem, _dot, kind = text.rpartition(".")
    if kind in KINDS and KINDS[kind].naming is Naming.PARENTS and stem.endswith("-") and stem != "-":
        inner = parse_name(f"{stem[:-1]}.{kind}")  # what no slice may be named, all those below one are
        return UnitName(text, inner.prefix + "-", None, kind)
    if text.endswith(".d") and stem in KINDS:
        raise Refused(f"{shown(text)} is the folder: a drop-in for every {stem} is named {shown(stem)}")
    return parse_name(text)


def _mangle(prefix: str) -> str:
    """Escape only what has to be: in a prefix, unlike an instance, nothing is ever unescaped."""
    return "".join(char if char in _VALID else escape(char) for char in prefix)


def _slash_message(text: str) -> str:
    kind = text.rpartition(".")[2]
    row = KINDS.get(kind)
    if row and row.is_named_by_path and row.file is not File.NEVER and text.startswith("/"):
        try:
            return f"{shown(text)} is a path: the unit of that path is '{escape_path(text[: -len(kind) - 1])}.{kind}'"
        except Refused:
            pass
    prefix, at, rest = text.partition("@")
    if at and "/" not in prefix:
        instance = rest.rpartition(".")[0] if kind in KINDS else rest
        return f"{shown(text)} has a slash in its instance: escaped that is {shown(escape(instance))}"
    folder, _slash, base = text.rstrip("/").rpartition("/")
    over = folder.rpartition("/")[2]
    if over.endswith(".d") and base.endswith(".conf"):
        return (
            f"{shown(text)} is the path of a drop-in: name its unit, {shown(over[:-2])}, and dropin {shown(base[:-5])}"
        )
    return f"{shown(text)} contains a slash: a unit is named without its folder, {shown(base)}"


def _without_type(text: str, meant: str) -> str:
    return f"{shown(text)} does not end in the type of unit: did you mean {shown(meant)}?"


def _with_suffix(text: str) -> str:
    stem, _dot, suffix = text.rpartition(".")
    found = near(suffix.lower(), KINDS, least=0.75) if stem else []
    return f"{stem}.{found[0]}" if found else f"{text.rstrip('.')}.{DEFAULT_KIND}"


def _check_parents(text: str, stem: str) -> None:
    """A slice's dashes are its parents (systemd.slice(5)), so none may be empty; slices cannot be templates."""
    if "@" in stem:
        raise Refused(f"{shown(text)}: a slice cannot be a template or an instance")
    if stem != "-" and "" in stem.split("-"):
        raise Refused(
            f"{shown(text)}: dashes in a slice's name separate parent from child, so none may be doubled or outermost"
        )


def with_instance(template: str, instance: str) -> str:
    """Name the instance of a template: ("a@.service", "b") is "a@b.service".

    Raises Refused for a name that is no template and for an instance that would need escaping (it tells how).
    """
    name = parse_name(template)
    if not name.is_template:
        raise Refused(f"{shown(template)} is not a template: a template is written 'name@.{name.kind}'")
    if not instance:
        raise Refused(f"an instance of {shown(template)} is empty: name it")
    if not set(instance) <= _VALID:
        what, mend = f"instance {shown(instance)} of {shown(template)}", f"write {_escaped(instance)}"
        words = instance.split()
        if len(words) > 1:
            several = f"several instances are a list, [{legible(', '.join(words))}]"
            raise Refused(f"{what} has blanks in it: {several}; if it is a single one, {mend}")
        raise Refused(f"{what} has to be escaped: {mend}")
    return parse_name(f"{name.prefix}@{instance}.{name.kind}").text


def _escaped(instance: str) -> str:
    """How it is written; of a path there are two ways, by which specifier of the unit is to give it back."""
    if not instance.startswith("/"):
        return shown(escape(instance))
    return f"{shown(escape_path(instance))} if %f is to be that path, or {shown(escape(instance))} if %I is"


def escape(text: str) -> str:
    """Escape a string for a unit's name, as `systemd-escape` does. Raises Refused for NUL and invalid UTF-8."""
    if "\0" in text:
        raise Refused("a name cannot contain a NUL character")
    data = to_utf8(text, "a name")
    return "".join(_escape_byte(byte, first=position == 0) for position, byte in enumerate(data))


def _escape_byte(byte: int, first: bool) -> str:
    character = chr(byte)
    if character == "/":
        return "-"
    # A leading dot would make a hidden file.
    if character not in _PLAIN or (first and character == "."):
        return f"\\x{byte:02x}"
    return character


def unescape(text: str) -> str:
    """What an escaped part of a unit's name stands for, as `systemd-escape --unescape` says."""
    data = _ESCAPED.sub(lambda found: bytes([int(found.group(1), 16)]), to_utf8(text.replace("-", "/"), "a name"))
    return data.decode("utf-8", "replace")


def escape_path(path: str) -> str:
    """Escape an absolute path for a unit's name, as `systemd-escape --path` does; "/" is "-".

    Raises Refused for a path that is relative, or has "..": systemd would name no unit after it.
    """
    if not path.startswith("/"):
        raise Refused(f"{shown(path)} is not an absolute path")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise Refused(f"{shown(path)} contains '..': write the path without it")
    return escape("/".join(parts)) if parts else "-"


def mount_of(path: str) -> str:
    """The unit of what is mounted at a path (systemd.mount(5)). Raises Refused as `escape_path` does."""
    return f"{escape_path(path)}.mount"


def misnamed(text: str, likely: str = "") -> str:
    """What is wrong with a text as the name of a unit, "" if nothing is. likely: the type that it has without one."""
    try:
        parse_name(text)
    except Refused as refused:
        if likely and re.fullmatch(r"[A-Za-z0-9_-]+", text):
            return _without_type(text, f"{text}.{likely}")
        return str(refused)
    return ""


def full_name(given: str) -> str:
    """A unit as systemctl(1) takes it: a path is that of a mount or device, and a name without a type is a service's.

    Raises Refused for what is none.
    """
    if given.startswith("/"):
        return parse_name(f"{escape_path(given)}.device" if given.startswith(_DEVICES) else mount_of(given)).text
    return parse_name(given if kind_of(given).name else f"{given}.{DEFAULT_KIND}").text


def names_folder(text: str) -> bool:
    """May a folder of drop-ins be named for it?"""
    try:
        parse_pattern(text)
    except Refused:
        return False
    return True


def parse_dropin(text: str) -> str:
    """The file name of a drop-in, with or without ".conf" given: "50-limits" is "50-limits.conf".

    Raises Refused for what would leave the folder, be hidden (systemd skips hidden files) or not fit a file name.
    """
    name = text if text.endswith(".conf") else f"{text}.conf"
    if name == ".conf":
        raise Refused("a drop-in's name is empty: write for example '50-limits'")
    if "/" in name:
        raise Refused(f"{shown(text)} contains a slash: a drop-in is named without its folder")
    if name.startswith("."):
        raise Refused(f"{shown(text)} starts with a dot: systemd ignores hidden files")
    if not name.isprintable():
        raise Refused(f"{shown(text)} contains control characters: a drop-in's name is printable text")
    if len(name.encode("utf-8")) > NAME_MAX:
        raise Refused(f"'{text[:NAME_SHOWN]}...' is too long: a drop-in's file name has at most {NAME_MAX} bytes")
    return name


def is_template(text: str) -> bool:
    """Does a text name a template? What names no unit at all does not."""
    return not misnamed(text) and parse_name(text).is_template


def units_in(text: str) -> List[str]:
    """The words of a text that may name units, in their order: of a message, where a colon may follow, or of a file."""
    return [word.rstrip(".:") for word in _WORD.findall(text)]


def mentions(text: str, unit: str) -> bool:
    return unit in text and unit in units_in(text)


def stem_of_dropin(unit: str, dropin: str) -> str:
    """What stands for a drop-in in the names of files and owners; `dropin_of_stem` reads it."""
    return unit + _OF_UNIT + dropin


def dropin_of_stem(text: str) -> Optional[Tuple[str, str]]:
    """The unit and the drop-in that such a name is made of, None if it is none.

    Both may have the mark between them in their own names: it is the first one that ends the name of a unit.
    """
    parts = text.split(_OF_UNIT)
    for length in range(1, len(parts)):
        unit, dropin = _OF_UNIT.join(parts[:length]), _OF_UNIT.join(parts[length:])
        if dropin and names_folder(unit):
            return unit, dropin
    return None


def parse_owner(text: str) -> str:
    """The name of an owner of files: a stack, a unit, or a drop-in as UNIT.d-DROPIN.conf. Raises Refused for others."""
    if "." not in text:
        return parse_stack(text)
    parts = dropin_of_stem(text) if text.endswith(".conf") else None
    return stem_of_dropin(parts[0], parse_dropin(parts[1])) if parts else parse_name(text).text


def parse_stack(text: str) -> str:
    """The name of a stack, as given. Raises Refused unless it is up to 64 letters, digits, "_" and "-"."""
    if not _STACK.fullmatch(text):
        raise Refused(
            f"{shown(text)} cannot name a stack: 1 to 64 letters, digits, '_' and '-', a letter or digit first"
        )
    return text
