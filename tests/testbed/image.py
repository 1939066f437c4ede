# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images with systemd as PID 1, made of Debian's packages; no container registry is asked."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .engine import Engine, EngineError

REPOSITORY = "localhost/unitwright-testbed"
SUITES = ("bullseye", "bookworm", "trixie", "sid")

PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "dbus-user-session",
    "libpam-systemd",
    "python3",
    "procps",
    "iproute2",
    "curl",
    "passwd",
)
# What an image has besides, by the word that is asked for it.
EXTRAS = {
    "": (),
    # What the examples of the collection run.
    "catalogue": (
        "celery",
        "gunicorn",
        "nodejs",
        "python3-celery",
        "python3-django",
        "python3-fastapi",
        "python3-flask",
        "python3-redis",
        "python3-sdnotify",
        "redis-server",
        "redis-tools",
        "sudo",
        "uvicorn",
    ),
    # What examples/hardening hardens, and what its clients need.
    "hardening": (
        "gunicorn",
        "logrotate",
        "mosquitto",
        "mosquitto-clients",
        "nodejs",
        "openssl",
        "postgresql",
        "python3-django",
        "python3-redis",
        "redis-server",
        "redis-tools",
    ),
}
# In bullseye the package nginx brings image and geography modules with dozens of libraries.
WEB_SERVER = {"bullseye": "nginx-light"}
# As Debian's installer has it since 2019; the later suites merge /usr by themselves.
MERGED_USR = {
    "bullseye": ['--setup-hook=for d in bin sbin lib lib64; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done'],
}

# What has no place in a container: consoles, what reaches for the host's kernel, and jobs that want a network.
MASKED = (
    "getty@tty1.service",
    "console-getty.service",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-binfmt.service",
    "systemd-remount-fs.service",
    "proc-sys-fs-binfmt_misc.automount",
    "proc-sys-fs-binfmt_misc.mount",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "dev-hugepages.mount",
    "e2scrub_reap.service",
    "e2scrub_all.timer",
    "fstrim.timer",
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
)

# An empty machine ID gives each container its own without making its boot a first boot, which would preset all units.
CUSTOMIZE = (
    'for unit in {masked}; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done',
    ': > "$1/etc/machine-id"',
    'echo unitwright > "$1/etc/hostname"',
    'rm -f "$1/etc/resolv.conf" "$1/var/lib/dbus/machine-id"',
)

APT_OPTIONS = ('Acquire::Languages "none"', 'Acquire::Check-Valid-Until "false"')
DPKG_OPTIONS = (
    "force-unsafe-io",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/doc/*",
    "path-exclude=/usr/share/locale/*",
)


def default_suite() -> str:
    return os.environ.get("UNITWRIGHT_SUITE") or "bookworm"


def build_command(suite: str, more: Sequence[str] = (), hooks: Sequence[str] = ()) -> list[str]:
    """The call of mmdebstrap without its mirror: this is the recipe, and its hash the image's tag.

    more: packages besides those of every test host. hooks: what is done to it at last.
    """
    packages = [*PACKAGES, WEB_SERVER.get(suite, "nginx"), *more]
    return [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--skip=check/signed-by,cleanup/reproducible",
        *(f"--aptopt={option}" for option in APT_OPTIONS),
        *(f"--dpkgopt={option}" for option in DPKG_OPTIONS),
        *MERGED_USR.get(suite, []),
        f"--include={','.join(packages)}",
        *(f"--customize-hook={command.format(masked=' '.join(MASKED))}" for command in CUSTOMIZE),
        *(f"--customize-hook={command}" for command in hooks),
        "--format=tar",
        suite,
        "-",
    ]


def image_name(suite: str, command: Sequence[str] = (), repository: str = REPOSITORY) -> str:
    if suite not in SUITES:
        raise EngineError(f"unknown suite {suite}: one of {', '.join(SUITES)}")
    recipe = json.dumps(command or build_command(suite)).encode()
    return f"{repository}:{suite}-{hashlib.sha256(recipe).hexdigest()[:12]}"


def mirror_arguments(suite: str) -> list[str]:
    """The machine's own Debian mirror; with none mmdebstrap takes Debian's own."""
    mirror = os.environ.get("UNITWRIGHT_MIRROR") or _machine_mirror()
    return [f"deb {mirror} {suite} main"] if mirror else []


def _machine_mirror() -> str | None:
    release = _os_release()
    if release.get("ID") != "debian":
        return None
    codename = release.get("VERSION_CODENAME", "sid")
    listing = ["apt-get", "indextargets", "--no-release-info", "--format=$(RELEASE) $(COMPONENT) $(REPO_URI)"]
    targets = subprocess.run([*listing, "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    for line in targets.splitlines():
        name, component, uri = line.split(" ", 2)
        if component == "main" and name in {codename, "stable", "testing", "unstable", *SUITES}:
            return uri.rstrip("/")
    return None


def _os_release() -> dict[str, str]:
    path = Path("/etc/os-release")
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def ensure_image(engine: Engine, suite: str, extra: str = "") -> str:
    """The image of a suite, with the packages of one of EXTRAS, built unless the engine has it; returns its name."""
    own = os.environ.get("UNITWRIGHT_IMAGE")
    if own:
        return own
    return ensure_built(engine, suite, build_command(suite, EXTRAS[extra]), REPOSITORY)


def ensure_built(engine: Engine, suite: str, command: Sequence[str], repository: str) -> str:
    """The image of a recipe, built unless the engine has it; returns its name."""
    name = image_name(suite, command, repository)
    with _locked(name):
        if not has_image(engine, name):
            _build(engine, [*command, *mirror_arguments(suite)], name)
    return name


def has_image(engine: Engine, name: str) -> bool:
    return engine.run("image", "inspect", name, check=False).returncode == 0


def _build(engine: Engine, command: Sequence[str], name: str) -> None:
    with tempfile.TemporaryFile() as log:
        try:
            builder = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        except FileNotFoundError as error:
            raise EngineError("mmdebstrap is missing: run `make prepare`") from error
        with builder:
            importer = [*engine.command, "import", '--change=CMD ["/sbin/init"]', "-", f"{name}-part"]
            imported = subprocess.run(importer, stdin=builder.stdout, capture_output=True, check=False)
        log.seek(0)
        told = log.read().decode(errors="replace") + imported.stderr.decode(errors="replace")
    if builder.returncode != 0 or imported.returncode != 0:
        engine.run("rmi", f"{name}-part", check=False)
        raise EngineError(f"building {name} failed\n{told}")
    # The engine takes a cut-off stream for an image too, so the real name is given last.
    engine.run("tag", f"{name}-part", name)
    engine.run("rmi", f"{name}-part", check=False)


@contextmanager
def _locked(name: str) -> Iterator[None]:
    path = Path(tempfile.gettempdir(), f"{name.replace('/', '-').replace(':', '-')}-{os.geteuid()}.lock")
    with open(path, "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
