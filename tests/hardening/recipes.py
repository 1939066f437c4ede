# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recipes of examples/hardening: over which program, and what that is asked to do before and after.

A client of another host is one of another network namespace, reached by a pair of interfaces.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .programs import PG, PROGRAMS, WORKER, Program

_CLIENT = "ip netns exec client"
_CURL = "curl -sSfk --max-time 5"
_OUTSIDE = f"{_CLIENT} {_CURL}"
_SQL = "runuser -u postgres -- psql -q -v ON_ERROR_STOP=1 -d postgres"
# What others there are on the host, and in its network.
WORLD = """
install -d -m 1777 /srv/open
id alice || { useradd -m alice; chmod 755 /home/alice; echo secret > /home/alice/secret; chmod 644 /home/alice/secret; }
systemd-run --quiet --unit=of-alice --uid=alice sleep infinity
ip netns add client
ip link add outside type veth peer name inside netns client
ip address add 10.9.0.1/24 dev outside; ip link set outside up
ip -n client address add 10.9.0.2/24 dev inside; ip -n client link set inside up; ip -n client link set lo up
systemd-run --quiet --unit=elsewhere ip netns exec client python3 -m http.server 8099 --bind 10.9.0.2
"""
_SITE = """
server {
  listen 80 default_server; listen [::]:80 default_server; listen 443 ssl; listen [::]:443 ssl;
  ssl_certificate /etc/ssl/site.crt; ssl_certificate_key /etc/ssl/private/site.key;
  root /var/www/html; index index.nginx-debian.html;
  location /dav/ { root /var/www; dav_methods PUT; }
  location /app/ { proxy_pass http://127.0.0.1:8090/; }
  location /disk/ { alias /; dav_methods PUT; }
}
"""
_CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={name} -keyout /etc/ssl/private/site.key "
    "-out /etc/ssl/site.crt 2>&1"
)
_NGINX = replace(
    PROGRAMS["nginx"],
    setup=f"""
install -d -m 710 /etc/ssl/private; {_CERTIFICATE.format(name="first.example")}; chmod 600 /etc/ssl/private/site.key
install -d -o www-data /var/www/dav; head -c 300000 /dev/urandom > /root/body; systemctl restart nginx
""",
    files=(("/etc/nginx/sites-enabled/default", _SITE),),
)
_POSTGRESQL = replace(
    PROGRAMS["postgresql"],
    setup=f"""
echo 'host postgres t 10.9.0.0/24 scram-sha-256' >> /etc/postgresql/{PG}/main/pg_hba.conf
echo "listen_addresses = '*'" > /etc/postgresql/{PG}/main/conf.d/network.conf
systemctl restart postgresql@{PG}-main
{_SQL} -c "create role t login password 't'" -c 'create role alice login'
{_SQL} -c 'create table t (i int)' -c 'grant all on t to t'
""",
)
_MOSQUITTO = replace(
    PROGRAMS["mosquitto"],
    setup="systemctl restart mosquitto",
    files=(("/etc/mosquitto/conf.d/open.conf", "listener 1883\nallow_anonymous true\n"),),
)


@dataclass(frozen=True)
class Recipe:
    """at_most: the exposure that it is to reach. work: what the program is for. state: a folder that is its own.

    clients: whose. refused: commands that succeed with the vendor's unit and fail with the recipe. outside: it may
    connect to others. rotated: a file of logrotate, and a log of it. changes: what else a user does every day.
    variables: of the playbook. interpreter: where Python lies, if the service may not run it.
    """

    program: Program
    at_most: float | None
    work: tuple[str, ...]
    state: str
    clients: str = "of this host"
    refused: tuple[str, ...] = ()
    outside: bool = False
    rotated: tuple[str, str] | None = None
    changes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    interpreter: str = ""

    @property
    def limit(self) -> str:
        return "-" if self.at_most is None else str(self.at_most)


_FETCH = f"{_OUTSIDE} https://10.9.0.1/ | grep -q nginx && {_CURL} -g 'http://[::1]/' | grep -q nginx"
_PUT = f"{_OUTSIDE} -T /root/body https://10.9.0.1/dav/f && cmp /root/body /var/www/dav/f"
_RENEWED = f"""
{_CERTIFICATE.format(name="renewed.example")} && nginx -s reload
for i in $(seq 50); do {_OUTSIDE} -v https://10.9.0.1/ 2>&1 | grep -q 'CN=renewed.example' && exit; sleep 0.1
done; exit 1
"""
_NEW_LOG = f"""
sed -i 's,location /dav/ {{,& access_log /var/log/nginx/dav.log;,' /etc/nginx/sites-enabled/default
nginx -t 2>&1 && systemctl reload nginx
for i in $(seq 50); do {_OUTSIDE} https://10.9.0.1/dav/f -o /dev/null; [ -s /var/log/nginx/dav.log ] && exit; sleep 0.1
done; exit 1
"""
_OF_NGINX = Recipe(
    _NGINX,
    1.5,
    (
        _FETCH,
        _PUT,
        "systemctl start backend || systemd-run --quiet --unit=backend python3 -m http.server 8090 --bind 127.0.0.1; "
        f"for i in $(seq 50); do {_OUTSIDE} http://10.9.0.1/app/ | grep -q Directory && exit; sleep 0.1; done; exit 1",
    ),
    "/var/lib/nginx",
    "any",
    (
        f"{_OUTSIDE} http://10.9.0.1/disk/home/alice/secret",
        f"{_OUTSIDE} -T /root/body http://10.9.0.1/disk/srv/open/$$",
        "nginx=$(systemctl show -P MainPID nginx); grep -q 'Uid:.*0' /proc/$nginx/status",
    ),
    True,
    ("nginx", "/var/log/nginx/access.log"),
    (_RENEWED, _NEW_LOG),
)
_AS_ALICE = "runuser -u alice -- psql -q -d postgres"
_OVER_TCP = "PGPASSWORD=t psql -q -v ON_ERROR_STOP=1 -U t -d postgres"
_OF_POSTGRESQL = Recipe(
    _POSTGRESQL,
    1.3,
    (
        f"{_CLIENT} env {_OVER_TCP} -h 10.9.0.1 -c 'insert into t values (1)'",
        f"{_SQL} -c 'insert into t select generate_series(1, 1000)' -c 'vacuum analyze t' > /dev/null",
        f"{_SQL} -c 'set jit_above_cost = 0' -c 'set jit_optimize_above_cost = 0' -c 'select sum(i * 2) from t'",
        f"{_SQL} -c 'set parallel_setup_cost = 0' -c 'set parallel_tuple_cost = 0' "
        "-c 'set min_parallel_table_scan_size = 0' -c 'select count(*) from t'",
        f"""{_SQL} -c "copy t to '/var/lib/postgresql/{PG}/main/copy.csv'" """,
        f"{_AS_ALICE} -c 'select 1' && ! {_AS_ALICE} -U t -c 'select 1'",
        f"{_SQL} -c \"alter system set work_mem = '8MB'\" -c 'select pg_reload_conf()' > /dev/null",
        "runuser -u postgres -- pg_dump postgres | grep -q 'TABLE public.t'",
        f"! {_SQL} -c 'select 1 / 0'",
    ),
    "/var/lib/postgresql",
    "any",
    (
        f"""{_SQL} -c "copy t to '/srv/open/copy.csv'" """,
        f"""{_SQL} -c "select pg_read_file('/home/alice/secret')" """,
        f"""{_SQL} -c "copy t from program 'wc -c < /home/alice/secret'" """,
    ),
    True,
    ("postgresql-common", f"/var/log/postgresql/postgresql-{PG}-main.log"),
    (f"pg_ctlcluster {PG} main reload", f"pg_ctlcluster {PG} main restart"),
    (f"cluster={PG}-main",),
)
_LOCAL_WORK = tuple(
    each.replace(_CLIENT + " env ", "").replace("10.9.0.1", "127.0.0.1") for each in _OF_POSTGRESQL.work
)
_OF_GUNICORN = Recipe(
    PROGRAMS["gunicorn"],
    1.0,
    (
        "for i in 1 2 3 4 5 6; do curl -sSf http://127.0.0.1:8000/ | grep -q orders || exit 1; done",
        "head -c 4000000 /dev/urandom > /root/upload; "
        "curl -sSf -F file=@/root/upload http://127.0.0.1:8000/ | grep -q 4000000",
    ),
    "/var/lib/shop",
)
_OF_NODE = Recipe(
    PROGRAMS["node"],
    0.9,
    ("curl -sSf http://127.0.0.1:3000/ | grep -q ok && test -s /var/lib/node-shop/notes",),
    "/var/lib/node-shop",
)
RECIPES = {
    "nginx": _OF_NGINX,
    "nginx-socket": replace(_OF_NGINX, at_most=0.9, outside=False, clients="by sockets"),
    "postgresql": _OF_POSTGRESQL,
    "postgresql-local": replace(_OF_POSTGRESQL, at_most=1.1, work=_LOCAL_WORK, outside=False, clients="of this host"),
    "mosquitto": Recipe(
        _MOSQUITTO,
        1.1,
        (
            f"{_CLIENT} mosquitto_sub -h 10.9.0.1 -t kept -C 1 -W 5 | grep -q kept || "
            f"{_CLIENT} mosquitto_pub -h 10.9.0.1 -t kept -r -q 1 -m kept",
            f"{_CLIENT} mosquitto_pub -h 10.9.0.1 -t a/b -r -q 1 -m hello",
            "mosquitto_sub -h ::1 -t a/b -C 1 -W 5 | grep -q hello",
        ),
        "/var/lib/mosquitto",
        "any",
        outside=True,
        rotated=("mosquitto", "/var/log/mosquitto/mosquitto.log"),
    ),
    "redis": Recipe(
        PROGRAMS["redis"],
        0.9,
        (
            "redis-cli set k v | grep -q OK && redis-cli -h ::1 get k | grep -q v",
            "redis-cli save | grep -q OK && redis-cli eval 'return 1' 0 | grep -q 1",
            "redis-cli config set appendonly yes | grep -q OK && redis-cli config set appendonly no | grep -q OK",
            "redis-cli config rewrite | grep -q OK",
        ),
        "/var/lib/redis",
        rotated=("redis-server", "/var/log/redis/redis-server.log"),
        interpreter="/usr/bin",
    ),
    "gunicorn": _OF_GUNICORN,
    "gunicorn-socket": replace(_OF_GUNICORN, at_most=0.3, clients="by a socket"),
    "node": _OF_NODE,
    "node-socket": replace(_OF_NODE, at_most=0.2, clients="by a socket"),
    "python-worker": Recipe(
        WORKER,
        None,
        (
            "redis-cli lpush jobs one && redis-cli brpop done 5 | grep -q one",
            "grep -q one /var/lib/shop-worker/results",
        ),
        "/var/lib/shop-worker",
        "none",
    ),
}
