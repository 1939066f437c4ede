#!/bin/sh
# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Notes by name what lies on the host and is not written by everyone anyhow, and which accounts and units there are.
# The key of stamps is the host's own, and stays for those to come.
{
  find /etc /home /opt /root /srv /tmp /usr /var -xdev \
    ! -path '/etc/*-' ! -path '/root/*' ! -path '/root/.ansible*' ! -path '/var/lib/redis/*' ! -path '/var/log/*.log' \
    ! -path '/var/log/journal/*' ! -path '/var/lib/systemd/*' ! -path '/tmp/*systemd-private-*' ! -path '*/__pycache__*' \
    ! -path '/tmp/ansible*' ! -path '/var/tmp/systemd-private-*' ! -path '/var/log/nginx/*' ! -path '/var/log/redis/*' \
    ! -path '/var/lib/unitwright/system/key'
  cut -d: -f1 /etc/passwd /etc/group
  systemctl list-unit-files --no-legend --plain | awk '{ print $1, $2 }'
} | LC_ALL=C sort > "${1:-/root/before}"
