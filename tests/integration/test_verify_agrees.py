# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host's systemd-analyze verify accepts is accepted, and of what it does not, something is said."""

from __future__ import annotations

import json
import random

from .entries import Entry
from .lab import Lab

COUNT = 150

NAMES = ("p{}", "d-a-{}", "c:{}", "t{}@")
INSTANCES = ("one", "5", "daily", "db:5432", "a-b")
LINES = {
    "Unit": """
        Description=x y %i|Description=100%%|After=nowhere.service network.target|Wants=nowhere.service %p.target
        Requires=basic.target|Requires=nowhere.service|Requires=%i.target|BindTo=basic.target|Documentation=man:x(1) y
        Documentation=https://a.example/|ConditionPathExists=!/x|ConditionPathExists=x|StartLimitIntervalSec=5min
        StartLimitIntervalSec=soon|RequiresMountsFor=/srv/%i|RequiresMountsFor=srv|OnFailure=a@%n.service|JobTimeoutSec=5
        RefuseManualStart=maybe|After=self.servcie|PartOf=x.slice|Conflicts=y.service|Before=a.service b.service
    """,
    "Service": """
        User=root|User=first.last|User=a b|User=a:b|Group=domain users|Nice=5|Nice=50|Restart=always|Restart=Always
        Type=exec|Type=oneshot|Type=notfy|RestartSec=5s|RestartSec=%i|MemoryMax=5G|MemoryMax=5x|MemoryMax=50%
        CPUQuota=20%|CPUQuota=20|TasksMax=infinity|LimitNOFILE=1024:4096|LimitNOFILE=many|UMask=0077|UMask=99
        Environment=A=b "C=d e"|Environment=A|Environment=X=%i|WorkingDirectory=/tmp|WorkingDirectory=-/none
        WorkingDirectory=tmp|WorkingDirectory=~|PIDFile=/run/x.pid|PIDFile=/var/run/x.pid|PIDFile=x.pid|KillMode=none
        KillMode=mixed|KillSignal=SIGINT|KillSignal=SIGNONE|StandardOutput=syslog|StandardOutput=file:/tmp/x
        StandardOutput=paper|PrivateTmp=yes|PrivateTmp=perhaps|ProtectSystem=strict|ProtectSystem=all
        CapabilityBoundingSet=CAP_NET_ADMIN|AmbientCapabilities=~CAP_SYS_ADMIN
        SystemCallFilter=@system-service|SystemCallFilter=~@mount no_such_call|RestrictAddressFamilies=AF_UNIX
        RestrictAddressFamilies=AF_NONE|IPAddressAllow=10.0.0.0/8|IPAddressAllow=ten|CPUAffinity=0 1|CPUAffinity=all
        ExecStartPre=/bin/true|ExecStartPre=-/none|ExecStartPre=/none|ExecStartPre=bin/true|ExecStartPre=/bin/%i
        ExecStartPost=+/bin/sh -c 'a; b'|ExecStop=/bin/kill $MAINPID|ExecReload=/bin/kill -HUP $MAINPID|ExecStop=/etc
        RuntimeDirectory=x y/z|RuntimeDirectory=/x|StateDirectory=%p/%i|StateDirectoryMode=0750|Slice=a-b.slice
        Slice=a.service|OOMScoreAdjust=-500|OOMScoreAdjust=5000|RootDirectory=/srv/none|BindPaths=/tmp:/mnt
        ReadWritePaths=-/var /tmp|ReadWritePaths=var|SuccessExitStatus=1 SIGKILL|SuccessExitStatus=x|RuntimeMaxSec=1h
        SyslogIdentifier=%p-%i|LogExtraFields=A=b|LogExtraFields=a|DeviceAllow=/dev/null rw|DeviceAllow=null
        BindTo=x.service|Bogus=1|IOWeight=50|IOWeight=0|CPUWeight=100
    """,
}


def lines(section: str) -> list[str]:
    return [line.strip() for row in LINES[section].strip().split("\n") for line in row.split("|")]


def units(number: int, seed: int) -> list[Entry]:
    """Services with one to four lines picked by chance."""
    chance = random.Random(seed)
    found = []
    for index in range(number):
        name = chance.choice(NAMES).format(index)
        text = ""
        for section in LINES:
            picked = chance.sample(lines(section), chance.choice([0, 0, 1, 1, 2]))
            text += "".join(f"{line}\n" for line in [f"[{section}]", *picked])
        entry: Entry = {
            "name": f"{name}.service",
            "content": text + "ExecStart=/bin/sleep infinity\n",
            "state": "present",
        }
        if name.endswith("@"):
            entry["instances"] = [chance.choice(INSTANCES)]
        found.append(entry)
    return found


# Each unit by itself; a colon is what verify would split an argument at.
ASK = r"""
import json, os, subprocess, sys, tempfile
folder = tempfile.mkdtemp()
version = int(subprocess.run(["systemctl", "--version"], capture_output=True).stdout.split()[1])
environ = {**os.environ, "SYSTEMD_UNIT_PATH": folder + ":", "SYSTEMD_LOG_LEVEL": "warning"}
found = {}
entries = json.load(sys.stdin)
running = []
for entry in entries:
    name = entry["name"].replace(":", "_")
    with open(os.path.join(folder, name), "w") as stream:
        stream.write(entry["content"])
    unit = name.replace("@.", "@" + entry.get("instances", [""])[0].replace(":", "_") + ".")
    strict = ["--recursive-errors=yes"] if version >= 250 else []
    command = ["systemd-analyze", "--man=no", *strict, "verify", os.path.join(folder, unit)]
    done = subprocess.run(command, env=environ, capture_output=True)
    found[entry["name"]] = done.returncode == 0 and (version >= 250 or not done.stderr)
json.dump(found, sys.stdout)
"""


def accepted(host: Lab, entries: list[Entry]) -> dict[str, bool]:
    done = host.run("python3", "-c", ASK, data=json.dumps(entries).encode())
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, bool] = json.loads(done.stdout)
    return found


def named(entry: Entry, told: set[str]) -> bool:
    instance = "".join(entry.get("instances", []))
    return bool({entry["name"], entry["name"].replace("@.", f"@{instance}.")} & told)


def test_ours_agrees_with_verify(host: Lab) -> None:
    entries = units(COUNT, seed=9)
    verdicts = accepted(host, entries)
    good = [entry for entry in entries if verdicts[entry["name"]]]
    bad = [entry for entry in entries if not verdicts[entry["name"]]]
    assert min(len(good), len(bad)) > COUNT / 5
    host.foretell(*good)
    while bad:
        result = host.attempt(*bad, check_mode=True)
        told = {each["unit"] for each in [*result.get("errors", []), *result.get("unverified", [])]}
        silent = [entry for entry in bad if not named(entry, told)]
        assert len(silent) < len(bad), f"nothing is said of {silent}"
        bad = silent if result.get("failed") else []
        assert result.get("failed") or not silent, f"nothing is said of {silent}"
