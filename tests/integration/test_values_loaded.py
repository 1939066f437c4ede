# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd has loaded is what was declared, for thousands of generated values of each type."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.directives import parse_dump
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.rule import Refused
from ansible_collections.unitwright.systemd.plugins.module_utils._syntax.values import environment_value, to_values
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .entries import app, service
from .lab import Lab

COUNT = 150

INFINITY = 2**64 - 1

# One connection for all units: {unit: {property: value}}, in JSON.
ASK = r"""
import json, subprocess, sys
found = {}
for unit in json.load(sys.stdin):
    path = "".join(c if c.isalnum() else "_%02x" % ord(c) for c in unit)
    command = ["busctl", "--json=short", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1/unit/" + path,
               "org.freedesktop.DBus.Properties", "GetAll", "s", ""]
    data = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["data"][0]
    found[unit] = {name: value["data"] for name, value in data.items()}
json.dump(found, sys.stdout)
"""


def loaded(host: Lab, units: list[str]) -> dict[str, dict[str, Any]]:
    done = host.run("python3", "-c", ASK, data=json.dumps(units).encode())
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


class Told(NamedTuple):
    """A value as it is declared, and what systemd says then."""

    declared: Any
    loaded: Any


LIMITS = st.integers(0, 10**9).map(lambda number: Told(number, number)) | st.just(Told("infinity", INFINITY))

TEXT = st.text(max_size=30)

WILD = st.text(alphabet="ab \t\"'\\$%{}#;=[]@!+-:|&~`*?é\u2028\U0001f600", max_size=20)


def takes(value: object, kind: str | None = None) -> bool:
    try:
        to_values(value, kind)
    except Refused:
        return False
    return True


LINES = (TEXT | WILD).filter(lambda text: bool(text) and takes(text.replace("%", "%%")))

MODES = st.integers(0, 0o777).map(lambda mode: Told(f"{mode:04o}", mode))

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)

# No space, quote or colon, which some lists of paths give a meaning; ends in a letter, as a slash there is dropped.
PATHS = st.from_regex(r"(/[A-Za-z0-9_.+,=@~-]{0,5}[A-Za-z0-9]){1,3}", fullmatch=True)

SIGNALS = st.sampled_from(
    [Told("SIGTERM", 15), Told("SIGHUP", 1), Told("KILL", 9), Told(10, 10), Told("SIGRTMIN+3", 37)]
)

SIZES = st.one_of(
    st.integers(4096, 2**50).map(lambda number: Told(number // 4096 * 4096, number // 4096 * 4096)),
    st.tuples(st.integers(1, 1023), st.sampled_from("KMGT")).map(
        lambda pair: Told(f"{pair[0] * 4}{pair[1]}", pair[0] * 4 * 1024 ** ("KMGT".index(pair[1]) + 1))
    ),
    st.just(Told("infinity", INFINITY)),
)

SPANS = st.one_of(
    st.integers(1, 10**6).map(lambda number: Told(number, number * 10**6)),
    st.integers(1, 10**6).map(lambda number: Told(number / 1000, number * 1000)),
    st.integers(1, 999).map(lambda number: Told(f"{number}min 3s 7ms", (number * 60 + 3) * 10**6 + 7000)),
    st.just(Told("infinity", INFINITY)),
)

TRUTHS = st.sampled_from(
    [
        *(Told(value, True) for value in (True, "yes", "true", "on", "1")),
        *(Told(value, False) for value in (False, "no", "false", "off", "0")),
    ]
)


def literal(text: str) -> Told:
    """Text in which systemd expands specifiers."""
    return Told(text.replace("%", "%%"), text)


def same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Told]:
    return values.map(lambda value: Told(value, value))


# section, directive: property, values
SERVICE: dict[tuple[str, str], tuple[str, st.SearchStrategy[Told]]] = {
    ("unit", "Description"): ("Description", LINES.map(literal)),
    ("unit", "StartLimitBurst"): ("StartLimitBurst", same(st.integers(0, 2**31))),
    ("unit", "StartLimitIntervalSec"): ("StartLimitIntervalUSec", SPANS),
    ("unit", "JobTimeoutSec"): ("JobTimeoutUSec", SPANS),
    ("unit", "CollectMode"): ("CollectMode", same(st.sampled_from(["inactive", "inactive-or-failed"]))),
    ("unit", "RefuseManualStop"): ("RefuseManualStop", TRUTHS),
    ("service", "Type"): ("Type", same(st.sampled_from(["simple", "exec", "idle", "notify"]))),
    ("service", "SyslogIdentifier"): ("SyslogIdentifier", LINES.map(literal)),
    ("service", "WorkingDirectory"): ("WorkingDirectory", same(PATHS)),
    ("service", "ReadWritePaths"): ("ReadWritePaths", same(st.lists(PATHS, min_size=1, max_size=4))),
    ("service", "RuntimeDirectoryMode"): ("RuntimeDirectoryMode", MODES),
    ("service", "UMask"): ("UMask", MODES),
    ("service", "KillSignal"): ("KillSignal", SIGNALS),
    ("service", "KillMode"): ("KillMode", same(st.sampled_from(["control-group", "mixed", "process"]))),
    ("service", "NoNewPrivileges"): ("NoNewPrivileges", TRUTHS),
    ("service", "PrivateTmp"): ("PrivateTmp", TRUTHS),
    ("service", "Nice"): ("Nice", same(st.integers(-20, 19))),
    ("service", "OOMScoreAdjust"): ("OOMScoreAdjust", same(st.integers(-1000, 1000))),
    ("service", "TimeoutStopSec"): ("TimeoutStopUSec", SPANS),
    ("service", "RestartSec"): ("RestartUSec", SPANS),
    ("service", "RuntimeMaxSec"): ("RuntimeMaxUSec", SPANS),
    ("service", "LimitNOFILE"): ("LimitNOFILE", LIMITS),
    ("service", "LimitFSIZE"): ("LimitFSIZE", SIZES),
    ("service", "MemoryMax"): ("MemoryMax", SIZES),
    ("service", "TasksMax"): ("TasksMax", same(st.integers(1, 2**40))),
    ("service", "CPUWeight"): ("CPUWeight", same(st.integers(1, 10000))),
    ("service", "CPUQuota"): (
        "CPUQuotaPerSecUSec",
        st.integers(1, 10000).map(lambda number: Told(f"{number}%", number * 10**4)),
    ),
    ("service", "PassEnvironment"): ("PassEnvironment", same(st.lists(NAMES, min_size=1, max_size=5, unique=True))),
    ("service", "LogRateLimitBurst"): ("LogRateLimitBurst", same(st.integers(0, 2**31))),
    ("service", "UtmpIdentifier"): ("UtmpIdentifier", same(NAMES)),
    ("service", "StandardOutput"): ("StandardOutput", same(st.sampled_from(["null", "journal", "journal+console"]))),
}


def is_variable(value: str) -> bool:
    try:
        environment_value("A", value)
    except Refused:
        return False
    return True


VARIABLES = st.dictionaries(NAMES, (TEXT | WILD).filter(is_variable), max_size=5)

WORDS = st.lists((TEXT | WILD).filter(lambda text: takes("x" + text + "x")), max_size=4)


def differing(expected: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (unit, name, value, found[unit][name])
        for unit, properties in expected.items()
        for name, value in properties.items()
        if found[unit][name] != value
    ]


def drawn(values: st.SearchStrategy[Any], count: int) -> list[Any]:
    """So many generated values, the same ones at every run."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        phases=(Phase.generate,),
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return (found * count)[:count]


def quoted(word: str) -> str:
    """A word of a command line, by systemd.service(5)."""
    escaped = "".join("\\" + char if char in "\"\\'" else char for char in word)
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def test_services(host: Lab) -> None:
    columns = {place: drawn(values, COUNT) for place, (_property, values) in SERVICE.items()}
    variables, commands = drawn(VARIABLES, COUNT), drawn(st.lists(WORDS, min_size=1, max_size=3), COUNT)
    entries, expected = [], {}
    for number in range(COUNT):
        name = f"g{number}.service"
        before = [" ".join(["/bin/echo", *map(quoted, words)]) for words in commands[number]]
        entry = service(f"g{number}", "/bin/true", service={"ExecStartPre": before}, unit={}, state="present")
        for (section, directive), told in columns.items():
            entry[section][directive] = told[number].declared
        entries.append({**entry, "environment": variables[number]})
        expected[name] = {SERVICE[place][0]: told[number].loaded for place, told in columns.items()}
        expected[name]["Environment"] = [f"{key}={value}" for key, value in variables[number].items()]
    host.apply(*entries)
    found = loaded(host, list(expected))
    assert differing(expected, found) == []
    argv = [[command[1] for command in found[f"g{number}.service"]["ExecStartPre"]] for number in range(COUNT)]
    # A dollar is undoubled only when the command is run.
    expected_argv = [
        [["/bin/echo", *(word.replace("$", "$$") for word in words)] for words in lines] for lines in commands
    ]
    assert argv == expected_argv
    assert not host.apply(*entries)["changed"]


OTHERS: dict[str, dict[str, tuple[str, st.SearchStrategy[Told]]]] = {
    "timer": {
        "OnActiveSec": (
            "TimersMonotonic",
            st.integers(1, 10**6).map(lambda n: Told(n, [["OnActiveUSec", n * 10**6, 0]])),
        ),
        "AccuracySec": ("AccuracyUSec", SPANS),
        "RandomizedDelaySec": ("RandomizedDelayUSec", SPANS),
        "Persistent": ("Persistent", TRUTHS),
    },
    "socket": {
        "ListenStream": ("Listen", PATHS.map(lambda path: Told(path, [["Stream", path]]))),
        "SocketMode": ("SocketMode", MODES),
        "Backlog": ("Backlog", same(st.integers(0, 2**31 - 1))),
        "ReceiveBuffer": ("ReceiveBuffer", SIZES.filter(lambda told: told.loaded < 2**60)),
    },
    "path": {
        "PathExists": ("Paths", PATHS.map(lambda path: Told(path, [["PathExists", path]]))),
        "MakeDirectory": ("MakeDirectory", TRUTHS),
    },
    "slice": {"MemoryHigh": ("MemoryHigh", SIZES), "IOWeight": ("IOWeight", same(st.integers(1, 10000)))},
}


def test_other_kinds(host: Lab) -> None:
    entries, expected = [], {}
    count = COUNT // 3
    for kind, directives in OTHERS.items():
        columns = {directive: drawn(values, count) for directive, (_property, values) in directives.items()}
        for number in range(count):
            name = f"g{number}.{kind}"
            section = {directive: told[number].declared for directive, told in columns.items()}
            entries.append({"name": name, "state": "present", kind: section})
            expected[name] = {directives[directive][0]: told[number].loaded for directive, told in columns.items()}
            if kind not in ("slice", "service"):
                entries.append(service(f"g{number}", "/bin/true", state="present"))
    unique = {entry["name"]: entry for entry in entries}
    host.apply(*unique.values())
    found = loaded(host, list(expected))
    for unit in expected:
        if unit.endswith(".timer"):  # the third is the time of the next elapse
            found[unit]["TimersMonotonic"] = [[base, span, 0] for base, span, _next in found[unit]["TimersMonotonic"]]
    assert differing(expected, found) == []


def test_what_a_process_is_given(host: Lab) -> None:
    """Hundreds of variables of the environment and of a secret file, as the kernel has them."""
    wild = drawn((TEXT | WILD).filter(is_variable), 300)
    plain = {f"P{number}": value for number, value in enumerate(wild)}
    secret = {f"S{number}": value + "\n" * (number % 3) for number, value in enumerate(wild)}
    host.apply(app(1, environment=plain, secrets=secret))
    found = host.environment("app.service")
    assert {name: value for name, value in found.items() if re.match(r"[PS]\d+$", name)} == {**plain, **secret}


# Two values for directives that hold one, and for others.
ONE_OF = """
Description=a|b JobTimeoutSec=1|2 CollectMode=inactive|inactive-or-failed RefuseManualStop=yes|no User=daemon|root
Group=daemon|root Nice=1|2 CPUQuota=10%|20% TasksMax=5|6 WorkingDirectory=/tmp|/var UMask=0022|0077
ProtectSystem=yes|full ProtectHome=yes|read-only RuntimeDirectoryPreserve=yes|restart LimitNOFILE=5|6 MemoryMax=1M|2M
Slice=a.slice|b.slice StandardOutput=null|journal StandardInput=null|tty KillMode=mixed|process
KillSignal=SIGHUP|SIGINT OOMPolicy=stop|kill OOMScoreAdjust=1|2 TimeoutStopSec=5|6 RestartSec=5|6
Restart=always|on-failure Type=simple|exec SyslogIdentifier=a|b SyslogLevel=info|debug SyslogFacility=daemon|local1
DevicePolicy=closed|strict PIDFile=/run/a|/run/b CPUWeight=5|6 IOWeight=5|6 NotifyAccess=all|exec
KeyringMode=private|shared PrivateTmp=yes|no ProtectProc=default|noaccess ProcSubset=pid|all UtmpIdentifier=a|b
UtmpMode=init|login LogNamespace=a|b IOSchedulingPriority=1|2 TimerSlackNSec=5|6 CPUSchedulingPolicy=batch|idle
LogRateLimitBurst=5|6 RootDirectory=/srv|/mnt TTYPath=/dev/tty1|/dev/tty2
"""
LIST_OF = """
Documentation=man:a|man:b After=a.service|b.service Environment=A=1|B=2 EnvironmentFile=-/a|-/b
CapabilityBoundingSet=CAP_KILL|CAP_CHOWN AmbientCapabilities=CAP_KILL|CAP_CHOWN SystemCallFilter=read|write
RestrictAddressFamilies=AF_INET|AF_UNIX ReadWritePaths=/tmp|/var RuntimeDirectory=a|b StateDirectory=a|b
SupplementaryGroups=daemon|adm UnsetEnvironment=A|B PassEnvironment=A|B ExecStartPre=/bin/a|/bin/b
SuccessExitStatus=1|2 DeviceAllow=/dev/null|/dev/zero IPAddressAllow=10.0.0.1|10.0.0.2
LogExtraFields=A=1|B=2 Delegate=cpu|memory RestrictNamespaces=net|ipc
SystemCallArchitectures=native|x86 TemporaryFileSystem=/a|/b BindPaths=/a|/b CPUAffinity=0|1
DisableControllers=cpu|memory
"""
# What differs between any two units, or any two looks.
_OWN = re.compile(r"(?:Id|Names|FragmentPath|\w*Timestamp\w*|Exec\w+Ex)=")


def test_which_directives_hold_one_value(host: Lab) -> None:
    """Of those the last counts, and a list of others is whole."""
    catalogue = parse_dump(host.sh("/lib/systemd/systemd --dump-configuration-items"), host.systemd)
    number, known = 0, {}
    for one, table in ((True, ONE_OF), (False, LIST_OF)):
        for word in table.split():
            directive, _equals, values = word.partition("=")
            first, second = values.split("|")
            section = "Unit" if catalogue.type_of("Service", directive) is None else "Service"
            if catalogue.type_of(section, directive) is None:  # as it came later
                continue
            for name, lines in (("both", (first, second)), ("last", (second,))):
                text = "".join(f"{directive}={value}\n" for value in lines)
                host.write(
                    f"/run/systemd/system/{name}{number}.service",
                    f"[Service]\nExecStart=/bin/true\n[{section}]\n{text}",
                )
            known[number] = (directive, one)
            assert catalogue.holds_one(section, directive) is one, directive
            number += 1
    host.sh("systemctl daemon-reload")
    for name in ("both", "last"):
        units = " ".join(f"{name}{each}.service" for each in known)
        host.sh(f"systemctl show {units} > /tmp/{name}")
    shown = [host.read(f"/tmp/{name}").replace(name, "unit").split("\n\n") for name in ("both", "last")]
    assert len(shown[0]) == len(shown[1]) == number
    otherwise = []
    for each, (directive, one) in known.items():
        lines = ([line for line in text[each].splitlines() if not _OWN.match(line)] for text in shown)
        both, last = ([sorted(line.replace("=", "= ").split()) for line in each] for each in lines)
        otherwise += [directive] if (both == last) is not one else []
    assert otherwise == []
    host.sh("rm -f /tmp/both /tmp/last /run/systemd/system/both* /run/systemd/system/last*; systemctl daemon-reload")


def test_a_text_is_loaded_as_it_stands(host: Lab) -> None:
    """Comments, continuations, resets and sections that repeat mean what they mean to systemd."""
    text = """\
# A comment \\
[Unit]
Description = one \\
# in between
  two
; another
[Service]
ExecStart=/bin/false
ExecStart=
ExecStart=/bin/echo "a  b" \\
    c
Environment=A=1
Environment=
Environment="B=2 3"
[Unit]
Documentation=man:a
[Service]
Nice=3
Nice=4
"""
    dropin = {"name": "g.service", "dropin": "own", "content": "[Service]\nNice=5\nEnvironment=C=4\n"}
    host.apply({"name": "g.service", "content": text, "state": "present"}, dropins=[dropin])
    found = loaded(host, ["g.service"])["g.service"]
    assert found["Description"] == "one    two"
    assert [command[1] for command in found["ExecStart"]] == [["/bin/echo", "a  b", "c"]]
    assert found["Environment"] == ["B=2 3", "C=4"]
    assert (found["Documentation"], found["Nice"]) == (["man:a"], 5)
    assert text.rstrip("\n") in host.sh("systemctl cat g.service")
