# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that has the packages whose unit files are tried: an image like the testbed's, and more in it."""

from __future__ import annotations

from tests.testbed.engine import Engine
from tests.testbed.image import MASKED, build_command, ensure_built

REPOSITORY = "localhost/unitwright-corpus"
# What people run on servers, and what systemd and Debian bring for the host itself.
SERVERS = """
    nginx apache2 haproxy redis-server postgresql mariadb-server mosquitto memcached prometheus prometheus-node-exporter
    rsyslog fail2ban bind9 dnsmasq postfix dovecot-imapd squid tor snmpd snmptrapd collectd-core caddy php-fpm
    uwsgi-emperor supervisor avahi-daemon smartmontools certbot podman docker.io openvpn autofs wireguard-tools unbound
    varnish keepalived lighttpd stunnel4 winbind nfs-kernel-server rpcbind open-iscsi nut-server hostapd cups-daemon
    rsync tftpd-hpa zabbix-agent sssd-common slapd mpd icecast2
"""
HOSTS = """
    openssh-server cron anacron at chrony ufw lvm2 network-manager modemmanager wpasupplicant ifupdown bluez sysstat
    logrotate unattended-upgrades apt polkitd udisks2 upower mdadm multipath-tools util-linux e2fsprogs man-db
    nftables lm-sensors irqbalance acpid needrestart plocate apparmor fwupd packagekit cryptsetup
    systemd-container systemd-journal-remote systemd-oomd systemd-resolved systemd-coredump systemd-homed
    systemd-userdbd udev cockpit-ws xfsprogs btrfs-progs thin-provisioning-tools quota
"""
# They cannot be on one host with another of these, so only their files are there.
UNPACKED = "systemd-timesyncd exim4-base ntpsec vsftpd systemd-boot"

# No package starts anything, and as nothing but the bus is wanted at boot, the host boots in a moment.
TARGET = r"[Unit]\nDescription=A host that is only looked at\nWants=dbus.service\nAfter=dbus.service\n"
SETUP = (
    'for unit in {masked}; do rm -f "$1/etc/systemd/system/$unit"; done',
    'printf "{target}" > "$1/etc/systemd/system/corpus.target"',
    'ln -sf corpus.target "$1/etc/systemd/system/default.target"',
    'rm -rf "$1"/etc/systemd/system/sysinit.target.wants "$1"/etc/systemd/system/sockets.target.wants',
    'cd "$1/tmp" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download {unpacked}',
    # Not by dpkg-deb --extract, which would put folders into the place of the links that a merged /usr has.
    'for each in "$1"/tmp/*.deb; do dpkg-deb --fsys-tarfile "$each" | tar -x --keep-directory-symlink -C "$1"; done',
    'rm "$1"/tmp/*.deb',
    'chroot "$1" systemd-sysusers',
)


def image(engine: Engine, suite: str) -> str:
    """The image of a suite, built unless the engine has it; returns its name."""
    words = {"masked": " ".join(MASKED), "target": TARGET, "unpacked": UNPACKED}
    hooks = [command.format(**words) for command in SETUP]
    return ensure_built(engine, suite, build_command(suite, [*SERVERS.split(), *HOSTS.split()], hooks), REPOSITORY)
