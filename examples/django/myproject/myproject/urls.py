# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages: / says that it is there, /add/2/3 has celery add, /ticks says how often celery beat has ticked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from redis import Redis

from .tasks import add


def index(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("Hello from Django\n")


def sum_of(_request: HttpRequest, left: int, right: int) -> HttpResponse:
    return HttpResponse(f"{add.delay(left, right).get(timeout=20)}\n")


def ticks(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{int(Redis(db=1).get('myproject:ticks') or 0)}\n")


urlpatterns = [path("", index), path("add/<int:left>/<int:right>", sum_of), path("ticks", ticks)]
