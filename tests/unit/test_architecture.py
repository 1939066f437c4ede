# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds the rooms apart: who may import whom; and that options and documentation agree."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.unitwright.systemd.plugins.doc_fragments.options import ModuleDocFragment
from ansible_collections.unitwright.systemd.plugins.module_utils._desired import options
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax import relations

ROOT = Path(__file__).parents[2]
UTILS = ROOT / "plugins" / "module_utils"
FILES = sorted(UTILS.rglob("*.py"))
_MIDDLE = {"_syntax", "_advice", "_host"}
_ABOVE = _MIDDLE | {"_desired", "_plan"}
MAY_IMPORT = {
    "_syntax": set(),
    # They run by themselves, on the host and not in a module.
    "_programs": set(),
    "_advice": {"_syntax"},
    "_host": {"_syntax"},
    "_causes": {"_syntax", "_host"},
    "_desired": _MIDDLE | {"_programs"},
    "_plan": _MIDDLE | {"_desired"},
    "_verify": _ABOVE | {"_causes"},
    "_apply": _ABOVE | {"_causes"},
    "_run": _ABOVE | {"_causes", "_verify", "_apply"},
    "_trial": _ABOVE | {"_causes", "_verify", "_apply", "_run"},
}


def name_of(path: Path) -> str:
    return str(path.relative_to(UTILS))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def attributes(path: Path) -> set[str]:
    return {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }


def called_names(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(UTILS).parts[0]
    reached = {other for module in imports(path) for other in MAY_IMPORT if other in module.split(".")}
    assert reached - {room} <= MAY_IMPORT[room]


# Who works out what jobs make of relations: all others ask _plan/consequences.py.
WORKING_OUT = {f"_plan/{each}.py" for each in ("consequences", "transactions", "course", "to_come")}
# Where a property by which units are related may be spelled. An order alone is not meant: it takes nobody along.
SPELLING = {
    "_syntax/relations.py",  # what each of them means
    "_host/graph.py",  # asks a manager for them
    *WORKING_OUT,
    # What files say and mean, since which version, and what is told of a unit: the words of systemd's own format.
    *(f"_syntax/{each}.py" for each in ("dependencies", "directives", "former", "install", "paths", "properties")),
    *(f"_syntax/{each}.py" for each in ("unitfile", "versions")),
    # What we write into files ourselves, and from which option it comes.
    *(f"_desired/{each}.py" for each in ("alerts", "forms", "short", "target")),
    "_run/paths.py",
    # What is said of a directive in a file, by its name.
    "_plan/conflicts.py",
    "_plan/doubts.py",
    "_verify/complaints.py",
    # A setting of the unit itself, as its Restart= is: what it promises.
    "_trial/promise.py",
}
ORDERS = {"After", "Before"}


def strings(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_what_a_relation_means_is_said_in_one_place() -> None:
    names = {*relations.RELATIONS, *(each.inverse for each in relations.RELATIONS.values()), *relations.AT_END}
    words = {name_of(path): {word for each in strings(path) for word in each.split()} for path in FILES}
    assert {name for name, said in words.items() if said & (names - ORDERS)} == SPELLING


def test_nobody_but_consequences_walks_relations() -> None:
    walking = {name_of(path) for path in FILES if {"related", "among", "relations"} & attributes(path)}
    assert walking == {"_host/graph.py", *WORKING_OUT}


def test_what_a_socket_asks_of_its_service_is_read_in_one_place() -> None:
    reading = {name_of(path) for path in FILES if "served" in {*called_names(path), *attributes(path)}}
    assert reading == {"_plan/sockets.py"}


def test_the_rule_about_sockets_is_stated_in_one_place() -> None:
    """_syntax/activation.py, in_the_way: what happens by itself is worked out with it, and not by what a socket is."""
    knowing = {name_of(path) for path in FILES if "hands_over" in attributes(path)}
    assert not knowing & WORKING_OUT


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 450
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert {f.name for f in functions if (f.end_lineno or 0) - f.lineno > 50} == set()


def data_classes(path: Path) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            marks = [ast.unparse(each) for each in (*node.bases, *node.decorator_list)]
            if any(mark == "NamedTuple" or mark.startswith("dataclass") for mark in marks):
                yield node


def fields(node: ast.ClassDef) -> list[str]:
    found = (each.target for each in node.body if isinstance(each, ast.AnnAssign))
    return [target.id for target in found if isinstance(target, ast.Name) and not target.id.startswith("_")]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_data_classes_are_small_and_say_what_each_field_is(path: Path) -> None:
    """Of up to four fields one sentence for all may be enough."""
    for node in data_classes(path):
        text = " ".join((ast.get_docstring(node) or "").split())
        assert len(fields(node)) <= 12
        unsaid = [name for name in fields(node) if not re.search(rf"\b{name}\b[\w, ]*:", text)]
        assert len(fields(node)) <= 4 or (node.name, unsaid) == (node.name, [])


def test_a_run_that_changes_nothing_is_spared_what_only_a_change_needs() -> None:
    """Most runs are such, and without compiled files, as Ansible sends none, imports are a good part of their cost."""
    package = "ansible_collections.unitwright.systemd.plugins.module_utils"
    code = f"import sys, {package}._run.front, {package}._run.pipeline; print('\\n'.join(sys.modules))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / ".build" / "source")}
    done = subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True, text=True)
    late = [
        *("_plan.making", "_plan.hindrances", "_plan.consequences", "_plan.sockets", "_plan.order", "_plan.in_place"),
        *("_apply.record", "_apply.transaction", "_apply.rollback", "_verify.verify"),
        *("_apply.standing", "_apply.trials", "_host.memory", "_host.processes", "_desired.alerts", "_plan.shells"),
        *("_host.causes", "_host.expectations", "_host.journal", "_host.mounts", "_host.probe", "_host.watch"),
        *("_causes.answers", "_causes.incident", "_causes.why"),
    ]
    found = set(done.stdout.split())
    assert f"{package}._run.pipeline" in found
    assert not {*(f"{package}.{each}" for each in late), "difflib", "glob"} & found


def documented(fragment: str) -> dict[str, Any]:
    options_text: dict[str, Any] = yaml.safe_load(getattr(ModuleDocFragment, fragment))["options"]
    return options_text


AGREED = ("type", "elements", "choices", "default", "required")


def shape(spec: dict[str, Any], nested: str, agreed: tuple[str, ...] = AGREED) -> dict[str, Any]:
    """Option names with what documentation and argument spec have to agree on."""
    found = {}
    for name, option in spec.items():
        found[name] = {key: option[key] for key in agreed if option.get(key) not in (None, False)}
        if nested in option:
            found[name]["options"] = shape(option[nested], nested, agreed)
    return found


@pytest.mark.parametrize(
    ("fragment", "spec"),
    [
        ("UNIT", {**options.unit(), **options.host()}),
        ("DROPIN", {**options.dropin(), **options.host()}),
        ("HARDENING", {**options.hardened(), **options.host()}),
        ("SEARCHED", {**options.searched(), **options.host()}),
        ("DRILLED", options.drill()),
        ("SERVICE", {**options.service(), **options.host()}),
        ("TIMER", {**options.timer(), **options.host()}),
        ("SOCKET", {**options.socket(), **options.host()}),
        ("TARGET", {**options.target(), **options.host()}),
        ("STACK", {name: option for name, option in options.stack().items() if name != "name"}),
    ],
)
def test_documentation_and_argument_spec_agree(fragment: str, spec: dict[str, Any]) -> None:
    assert shape(documented(fragment), "suboptions") == shape(spec, "options")


def test_the_role_takes_what_the_module_takes() -> None:
    specs = yaml.safe_load((ROOT / "roles" / "stack" / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    role = specs["argument_specs"]["main"]["options"]
    # What a role's specification says of defaults has no effect, so it says none.
    agreed = ("type", "elements", "choices", "no_log")
    expected = shape({f"stack_{name}": option for name, option in options.stack().items()}, "options", agreed)
    for form in ("defaults", *options.FORMS):  # of their many options the module alone has a specification
        del expected[f"stack_{form}"]["options"]
    assert {name: option for name, option in shape(role, "options", agreed).items() if name in expected} == expected


def test_the_action_group_holds_every_module() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert set(runtime["action_groups"]["systemd"]) == modules
