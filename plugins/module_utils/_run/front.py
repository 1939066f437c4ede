# Copyright: Unitwright contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What stands between Ansible and the pipeline, the same for every module.

Private to the collection.
"""

from __future__ import annotations

import gc
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
    Union,
)

from ansible.module_utils.basic import AnsibleModule

from .._desired.options import EXPANDED, FORMS, HIDDEN_OPTIONS, Spec, narrowed
from .._desired.options import hardening as hardening_options
from .._desired.options import host as host_options
from .._desired.render import SHORTEST_HIDDEN, secret_values
from .._host.files import Labeller
from .._syntax.names import parse_dropin, stem_of_dropin
from .._syntax.rule import Problem, Problems, Refused, Rule, Severity, legible, told_of
from .hidden import hidden_texts, is_marked, is_name, without_values
from .work import Failed, WrongOptions

# Options of a unit that stand for more than its entry.
_EXPANDED_OF_UNIT = ("instances", "without", "alert", "hardening")
# What the controller sends beside the user's options.
_OF_ANSIBLE = "_ansible_"

_SHORT = Rule(
    "short-secret",
    Severity.WARNING,
    "the secret {name} has less than {least} characters",
    "Ansible blots it out wherever it occurs, so results may be garbled",
    "the options secrets and credentials",
)


class _WithoutWrong(Exception):
    """Options are read once more, without those that are wrong."""


class Module(AnsibleModule):
    """An AnsibleModule that writes names to the journal instead of its arguments.

    Ansible logs every argument that is not marked no_log, and a value in a free-form mapping cannot be marked.
    """

    def __init__(self, spec: Spec, goes_on: bool = False) -> None:
        """goes_on: what is wrong with options is told together with what else is wrong, by who runs it."""
        self._spec = spec
        # As they came, while Ansible holds them to the spec.
        self._given: Optional[Mapping[str, Any]] = None
        # Has the controller marked something among them as changed by YAML?
        self._marked = False
        self._goes_on = goes_on
        # What is wrong with some of them; then `params` has the others.
        self.wrong = WrongOptions()
        self._secrets: Set[str] = set()
        try:
            self._begin(spec)
        except _WithoutWrong:
            self._begin(spec)

    def _begin(self, spec: Spec) -> None:
        try:
            AnsibleModule.__init__(self, argument_spec=spec, supports_check_mode=True)
        except TypeError as error:
            # Ansible's own check does not expect a number where a mapping belongs.
            if self._given is None:
                raise
            self.fail_json(msg=f"the options of {self._name} cannot be read: {error}")
        if self._marked:
            # Ansible takes a mark for the text that it would be.
            self._refuse_wrong()
        self._given = None

    def _load_params(self) -> None:
        """Hide secrets that lie too deep for an argument spec to mark, before anything can fail and show them."""
        AnsibleModule._load_params(self)
        users = {key: value for key, value in self.params.items() if not key.startswith(_OF_ANSIBLE)}
        self._secrets.update(hidden_texts(users, self._spec))
        self.no_log_values.update(self._secrets)
        if self.wrong.rest is not None:
            self.params = dict(self.wrong.rest)
        self._marked = is_marked(self.params)
        self._given = dict(self.params)
        # It goes over all options of an entry for each of a thousand.
        self.argument_spec = narrowed(self._spec, self.params)

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        """Of an option that Ansible refuses it does not say where it is, nor what may be meant."""
        self._refuse_wrong(**kwargs)
        AnsibleModule.fail_json(self, msg, **kwargs, **self._invocation())
        raise AssertionError

    def exit_json(self, **kwargs: Any) -> NoReturn:
        AnsibleModule.exit_json(self, **kwargs, **self._invocation())
        raise AssertionError

    def refuse(self, problems: Sequence[Problem], **more: Any) -> NoReturn:
        """Fail for all of them."""
        lines, errors = problem_lines(problems, self.params)
        told = {"unverified": [], **more, **self._invocation(), "errors": errors}
        AnsibleModule.fail_json(self, "\n".join(lines), **told)
        raise AssertionError

    def _invocation(self) -> Mapping[str, Any]:
        """Ansible blots out values in what it adds to a result, and leaves keys as they are."""
        hidden = self.no_log_values
        return {"invocation": {"module_args": without_values(self.params, hidden)}} if hidden else {}

    def _refuse_wrong(self, **kwargs: Any) -> None:
        """Fail for all options that are not as their specification has them, unless the run goes on without them."""
        if self._given is None:
            return
        from .arguments import wrong  # noqa: PLC0415 (only where there is something to tell)

        given, self._given = self._given, None
        if self.wrong.problems:  # and there is something else besides
            self.refuse(self.wrong.problems, **kwargs)
        found = wrong(self._spec, given, self._name)
        if found.problems and self._goes_on and found.rest is not None:
            self.wrong = found
            raise _WithoutWrong
        if found.problems:
            self.refuse(found.problems, **kwargs)

    def _log_invocation(self) -> None:
        AnsibleModule.log(self, f"Invoked for {self.params.get('name') or self.params.get('names')}")


def run(spec: Spec, as_stack: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Run a module: its parameters as those of a stack go through the pipeline, and its result to Ansible."""
    # All that is imported, read and made up to the plan stays: to search it for garbage time and again would find none.
    gc.disable()
    from .pipeline import apply  # noqa: PLC0415 (as above)

    module = Module(spec, goes_on=True)

    def applied() -> Mapping[str, Any]:
        params, found = _in_sections(as_stack(module.params))
        _warn(module, list(_short_secrets(params)))
        faulty = module.wrong.faulty.union(each.unit for each in found if each.unit)
        wrong = [*module.wrong.problems, *told_of(found, module.wrong.faulty)]
        result, warnings = apply(params, module.check_mode, _labeller(module), wrong, faulty)
        _warn(module, warnings)
        gc.freeze()  # the search at the end of the process would find nothing that matters by then
        return {**result, "unverified": _with_paths(result["unverified"], module.params)}

    _answer(module, applied)


def ask(spec: Spec, gather: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Run a module that changes nothing: its result is what is gathered by its parameters."""
    module = Module(spec)
    _answer(module, lambda: gather(module.params))


def try_out(
    spec: Spec, tried: Callable[[Mapping[str, Any], bool, Optional[Labeller]], Tuple[Mapping[str, Any], Sequence[str]]]
) -> None:
    """Run a module that tries something on the host: given its parameters, check mode and who gives labels."""
    module = Module(spec)

    def done() -> Mapping[str, Any]:
        result, warnings = tried(module.params, module.check_mode, _labeller(module))
        _warn(module, warnings)
        return result

    _answer(module, done)


def _answer(module: Module, work: Callable[[], Mapping[str, Any]]) -> None:
    """A result, or what is wrong, to Ansible."""
    try:
        result = work()
    except Problems as found:
        _warn(module, [doubt for doubt in found.doubts if doubt.warns(module.check_mode)])
        doubts = [doubt.as_dict() for doubt in found.doubts]
        further = [each for each in found.problems if each not in module.wrong.problems]
        module.refuse([*module.wrong.problems, *further], unverified=_with_paths(doubts, module.params))
    except Failed as failed:
        _warn(module, failed.warnings)
        told = {**failed.result, "errors": _with_paths(failed.result["errors"], module.params)}
        module.fail_json(msg=str(failed), **told)
    except Exception as error:  # pylint: disable=broad-exception-caught
        if module.wrong.problems:  # which may be the reason
            module.refuse(module.wrong.problems)
        # An uncaught exception would show its message, and with it whatever value it is about, unhidden.
        module.fail_json(msg=f"unexpected {type(error).__name__}: {error}", exception=error)
    module.exit_json(**result)


def _with_paths(errors: Sequence[Mapping[str, Any]], params: Mapping[str, Any]) -> List[Dict[str, Any]]:
    if not errors:
        return []
    from .paths import every_path, option_path  # noqa: PLC0415 (only where there is something to tell)

    place = ("unit", "section", "directive", "option")
    found = []
    for error in errors:
        plain = {key: value for key, value in error.items() if key not in ("option", "everywhere", "of_all")}
        if error.get("of_all"):
            found.append({**plain, "path": error.get("option", "")})
            continue
        every = every_path(params, error["unit"], error.get("option", "")) if error.get("everywhere") else ()
        path = every[-1] if every else option_path(params, *(error.get(part, "") for part in place))
        also = [{"unit": error["unit"], "path": each} for each in every[:-1]]
        found.append({**plain, "path": path, **({"also": also} if also else {})})
    return found


def problem_lines(
    problems: Sequence[Problem], params: Mapping[str, Any]
) -> Tuple[Sequence[str], Sequence[Mapping[str, Any]]]:
    """For each a line of a message, and an entry of `errors`; what is wrong for all services at once is told once."""
    told: Dict[Tuple[str, ...], Tuple[str, Mapping[str, Any]]] = {}
    for problem, error in zip(problems, _with_paths([each.as_dict() for each in problems], params)):
        of_all = error["path"].startswith("defaults.")
        place = (error["path"], "" if of_all else str(problem))
        told.setdefault((*place, error["message"]), (_line(problem, error), error))
    return [line for line, _error in told.values()], [error for _said, error in told.values()]


def _line(problem: Problem, error: Mapping[str, Any]) -> str:
    if not problem.rule.place.of_all:
        return _at(str(problem), error)
    path = error["path"]
    return str(problem._replace(message=f"{legible(path)}: {problem.message}") if path else problem)


def _at(line: str, error: Mapping[str, Any]) -> str:
    """A line with the options that it is about, where those are some of several alike."""
    paths = [each["path"] for each in (*error.get("also", ()), error)]
    return f"{line} ({', '.join(paths)})" if "[" in paths[-1] else line


def _warn(module: AnsibleModule, warnings: Sequence[Union[str, Problem]]) -> None:
    """Tell a person even if they look at no result; each with its option, by which its place is found."""
    for warning in warnings:
        if isinstance(warning, str):
            module.warn(warning)
            continue
        (told,) = _with_paths([warning.as_dict()], module.params)
        module.warn(f"{warning} ({told['path']})" if told["path"] else str(warning))


def _in_sections(params: Mapping[str, Any]) -> Tuple[Mapping[str, Any], Sequence[Problem]]:
    """The parameters as units and drop-ins alone, and what is wrong with what else there was."""
    short = any(params.get(option) for option in EXPANDED) or params.get("state") == "stopped"
    units = params.get("units") or ()
    if not short and all(unit.get(each) is None for unit in units for each in _EXPANDED_OF_UNIT):
        return params, ()
    from .._desired.expansion import expanded  # noqa: PLC0415 (only where there is something to expand)

    return expanded(params)


def _short_secrets(params: Mapping[str, Any]) -> Iterator[Problem]:
    for entry in [*(params.get("units") or []), *(params.get("dropins") or [])]:
        for option in HIDDEN_OPTIONS:
            for name, value in secret_values(entry, option).items():
                if len(str(value)) < SHORTEST_HIDDEN and is_name(name):
                    yield _SHORT.problem(entry["name"], name=name, least=SHORTEST_HIDDEN).about(f"{option}.{name}")


def single(kind: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """A stack of one, for a module whose own options are those of an entry of `kind` (units, services ...).

    Its owner is the unit itself: a name that no stack can have, since it holds a dot.
    """

    def as_stack(params: Mapping[str, Any]) -> Mapping[str, Any]:
        host = {option: params[option] for option in host_options()}
        entry = {option: value for option, value in params.items() if option not in host}
        owner = entry["name"]
        if kind in FORMS:
            from .._desired.forms import unit_name  # noqa: PLC0415 (as above)

            owner = unit_name(owner, kind[:-1])
        if "dropin" in entry:
            owner = stem_of_dropin(owner, _file_name(entry["dropin"]))
        return {"name": owner, "owner": owner, kind: [entry], "prune": _brings_all(entry, kind), **host}

    return as_stack


def _brings_all(entry: Mapping[str, Any], kind: str) -> bool:
    """Is that all that its owner has, so that the rest goes? Not where it is about the state of what is there."""
    if entry.get("state") == "absent":
        return "dropin" not in entry
    if kind not in FORMS:
        return False
    said = {"name", "enabled", "state", "masked", "health", "replace"}
    return any(value is not None for option, value in entry.items() if option not in said)


def hardened(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stack of one drop-in that hardens a service."""
    from .._desired.forms import with_kind  # noqa: PLC0415 (as above)
    from .._desired.hardening import DROPIN, OPTION  # noqa: PLC0415 (as above)

    asked = {option: params[option] for option in hardening_options()}
    rest = {option: value for option, value in params.items() if option not in asked}
    return single("dropins")({**rest, "name": with_kind(params["name"]), "dropin": DROPIN, OPTION: asked})


def _file_name(dropin: str) -> str:
    """Both ways of naming a drop-in are one owner; a name that is none is refused later."""
    try:
        return parse_dropin(dropin)
    except Refused:
        return dropin


def _labeller(module: AnsibleModule) -> Optional[Labeller]:
    if not module.selinux_enabled():
        return None
    from ansible.module_utils.compat import selinux  # noqa: PLC0415 (only where there is a libselinux)

    set_label: Callable[[str, str], int] = vars(selinux)["lsetfilecon"]  # it is made at import

    def label(temporary: str, final: str) -> None:
        # Not the module's own method, which ends the process where it fails, in the middle of a change.
        context = module.selinux_default_context(final)
        if None not in context and not module.is_special_selinux_path(final)[0]:
            set_label(temporary, ":".join(context))

    return label
