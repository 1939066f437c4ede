# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs, each with how it is set up, and a probe that does what it is for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.testbed.image import default_suite

# Of the suite that is tested.
PG = {"bullseye": "13", "bookworm": "15", "trixie": "17", "sid": "18"}[default_suite()]
_CURL = "curl -sSf --max-time 5"
_SITE = "/etc/nginx/sites-enabled/default"
_NGINX = """
server {
  listen 80 default_server; listen [::]:80 default_server; root /var/www/html; index index.nginx-debian.html;
  location /dav/ { root /var/www; dav_methods PUT; }
}
"""
_LOCAL = _NGINX.replace("listen 80", "listen 127.0.0.1:80").replace("[::]", "[::1]")
# A project of Django in one file: each request is a row in its database, and what is uploaded goes to a file first.
_DJANGO = """
import tempfile
import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path
settings.configure(
    SECRET_KEY="of tests alone", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, FILE_UPLOAD_MAX_MEMORY_SIZE=0,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/var/lib/shop/db.sqlite3"}},
)
def orders(request):
    with connection.cursor() as cursor:
        cursor.execute("create table if not exists orders (size int)")
        sizes = [each.size for each in request.FILES.values()]
        cursor.execute("insert into orders values (%s)", [sum(sizes)])
        cursor.execute("select count(*), max(size) from orders")
        return HttpResponse("orders: %d, largest: %d" % cursor.fetchone())
urlpatterns = [path("", orders)]
app = get_wsgi_application()
"""
_OF_GUNICORN = """
[Service]
Type=notify
User=shop
StateDirectory=shop
WorkingDirectory=/opt/shop
ExecStart=/usr/bin/gunicorn --workers 2 --bind 127.0.0.1:8000 shop:app
ExecReload=/bin/kill -HUP $MAINPID
TimeoutStopSec=10
[Install]
WantedBy=multi-user.target
"""
_NODE = """
const http = require("http"), fs = require("fs");
http.createServer((request, response) => {
  fs.appendFileSync("/var/lib/node-shop/notes", "x");
  response.end("ok");
}).listen(process.env.LISTEN_FDS ? {fd: 3} : {port: 3000, host: "127.0.0.1"});
"""
_OF_NODE = """
[Service]
User=shop
StateDirectory=node-shop
ExecStart=/usr/bin/node /opt/node-shop/shop.js
[Install]
WantedBy=multi-user.target
"""
_WORKER = """
import os, redis
queue = redis.Redis()
while True:
    _name, job = queue.brpop("jobs")
    with open(os.path.join(os.environ["STATE_DIRECTORY"], "results"), "a") as results:
        results.write(job.decode() + "\\n")
    queue.lpush("done", job)
"""
_OF_WORKER = """
[Unit]
Wants=redis-server.service
After=redis-server.service
[Service]
StateDirectory=shop-worker
ExecStart=/usr/bin/python3 -B /opt/shop-worker/worker.py
Restart=on-failure
RestartSec=1
[Install]
WantedBy=multi-user.target
"""
_AS_POSTGRES = "runuser -u postgres -- psql -q postgres"
_AS_SHOP = "PGPASSWORD=t psql -q -U t postgres -c 'select 1'"


@dataclass(frozen=True)
class Program:
    """unit: its service. files: what is written first. setup: commands. probe: of the search. at_most: its exposure."""

    unit: str
    at_most: float
    probe: tuple[str, ...]
    setup: str
    files: tuple[tuple[str, str], ...] = ()


_OF_NGINX = Program(
    "nginx.service",
    2.3,
    (
        f"{_CURL} http://127.0.0.1/ > /dev/null && {_CURL} -g 'http://[::1]/' > /dev/null",
        f"{_CURL} -T /root/body http://127.0.0.1/dav/f && cmp /root/body /var/www/dav/f",
        "tail -1 /var/log/nginx/access.log | grep -q PUT",
    ),
    "install -d -o www-data /var/www/dav; head -c 300000 /dev/urandom > /root/body; systemctl restart nginx",
    ((_SITE, _NGINX),),
)
PROGRAMS = {
    "nginx": _OF_NGINX,
    # For this host alone, so that IPAddressDeny= is tried, which others would miss.
    "nginx-local": replace(_OF_NGINX, at_most=2.1, files=((_SITE, _LOCAL),)),
    "redis": Program(
        "redis-server.service",
        0.9,
        (
            "redis-cli set k v | grep -q OK && redis-cli -h ::1 get k | grep -q v",
            "redis-cli save | grep -q OK && redis-cli eval 'return 1' 0 | grep -q 1",
            "redis-cli config set appendonly yes | grep -q OK && redis-cli config set appendonly no | grep -q OK",
        ),
        "systemctl start redis-server",
    ),
    "postgresql": Program(
        f"postgresql@{PG}-main.service",
        1.9,
        (
            f"{_AS_POSTGRES} -c 'insert into t values (1)' -c 'vacuum t' -c 'select pg_sleep(0.05)' > /dev/null",
            f"{_AS_SHOP} -h 127.0.0.1 > /dev/null",
            f"{_AS_POSTGRES} -c 'set jit_above_cost = 0' -c 'set jit_optimize_above_cost = 0' "
            "-c 'select sum(i * 2) from t' > /dev/null",
            f"""{_AS_POSTGRES} -c "copy t to '/var/lib/postgresql/{PG}/main/copy.csv'" """,
        ),
        f"systemctl start postgresql@{PG}-main; {_AS_POSTGRES} -c \"create role t login password 't'\" "
        "-c 'create table t (i int)'",
    ),
    "mosquitto": Program(
        "mosquitto.service",
        2.1,
        (
            "mosquitto_pub -h 127.0.0.1 -t a/b -r -q 1 -m hello",
            "mosquitto_sub -h 127.0.0.1 -t a/b -C 1 -W 5 | grep -q hello",
            "mosquitto_sub -h ::1 -t a/b -C 1 -W 5 | grep -q hello",
        ),
        "systemctl start mosquitto",
    ),
    "gunicorn": Program(
        "shop.service",
        1.0,
        (f"for i in 1 2 3 4 5 6; do {_CURL} http://127.0.0.1:8000/ | grep -q orders || exit 1; done",),
        "id shop || useradd --system shop; systemctl daemon-reload; systemctl enable --now shop",
        (("/opt/shop/shop.py", _DJANGO), ("/etc/systemd/system/shop.service", _OF_GUNICORN)),
    ),
    "node": Program(
        "node-shop.service",
        0.9,
        (f"{_CURL} http://127.0.0.1:3000/ | grep -q ok",),
        "id shop || useradd --system shop; systemctl daemon-reload; systemctl enable --now node-shop",
        (("/opt/node-shop/shop.js", _NODE), ("/etc/systemd/system/node-shop.service", _OF_NODE)),
    ),
}
# Not searched: that it runs as root is all that there is to it.
WORKER = Program(
    "shop-worker.service",
    10.0,
    ("redis-cli lpush jobs one && redis-cli brpop done 5 | grep -q one",),
    "systemctl daemon-reload; systemctl enable --now shop-worker",
    (("/opt/shop-worker/worker.py", _WORKER), ("/etc/systemd/system/shop-worker.service", _OF_WORKER)),
)
