# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options that modules share are for, a group in each text; options.py puts them together.

Marks such as @HEALTH@ stand for groups within others.
"""

from __future__ import annotations

HEALTH = """
stable_for:
  description:
    - Seconds a unit has to stay up, with the same process and without a restart, after it has come up.
    - Defaults to 5.
  type: float
timeout:
  description:
    - Seconds a unit may take to come up and pass its checks.
    - Defaults to 60, and to the time that systemd itself gives its start, where that is longer
      (C(TimeoutStartSec=), or C(TimeoutSec=) of sockets, mounts and swaps).
    - A check that does not pass is tried again until then. One attempt has 10 seconds, or what is left of these if that
      is less.
  type: float
"""

CHECKS = """
tcp:
  description: An address V(HOST:PORT) that has to accept a connection, seen from the managed host.
  type: str
unix:
  description: A Unix socket that has to accept a connection, as an absolute path of at most 107 bytes.
  type: path
http:
  description:
    - A URL that has to be answered with a status below 400, asked from the managed host.
    - It is ASCII without blanks (percent-encode them), and holds no user or password.
  type: str
command:
  description: A command, as a list of words, that has to end with exit status 0. No shell is involved.
  type: list
  elements: str
"""

SECTIONS = """
unit:
  description:
    - Directives of the C([Unit]) section under systemd's own names.
    - A list is the directive repeated, an empty string resets it, V(true) and V(false) are C(yes) and C(no).
      V(null) is refused, and so are values that YAML has already changed, such as an unquoted C(0077) for a mode or
      C(12:30) for a time.
    - A directive that the host's systemd does not know is an error that names the nearest one.
  type: dict
service:
  description: Directives of the C([Service]) section, as in O(unit).
  type: dict
socket:
  description: Directives of the C([Socket]) section, as in O(unit).
  type: dict
timer:
  description: Directives of the C([Timer]) section, as in O(unit).
  type: dict
path:
  description: Directives of the C([Path]) section, as in O(unit).
  type: dict
mount:
  description: Directives of the C([Mount]) section, as in O(unit).
  type: dict
automount:
  description: Directives of the C([Automount]) section, as in O(unit).
  type: dict
swap:
  description: Directives of the C([Swap]) section, as in O(unit).
  type: dict
slice:
  description: Directives of the C([Slice]) section, as in O(unit).
  type: dict
install:
  description: Directives of the C([Install]) section, as in O(unit).
  type: dict
content:
  description:
    - The whole text instead of the sections. It goes the same way as the sections do, comments and all.
  type: str
"""

PROCESS = """
environment:
  description:
    - Environment variables for the processes of a service, or for the commands of a socket, mount or swap, meant
      literally. Everyone on the host can read them.
    - Text, or whole numbers. A truth value is refused, since its spelling is lost (V(yes), V(False)); quote it.
  type: dict
secrets:
  description:
    - A mapping, for services alone. Environment variables that nobody but root may read. They go to a file with mode
      0600 that C(EnvironmentFile=) names, and never into a unit file, a diff, a result or the journal.
    - Values are text alone; quote a number, of which YAML may make another (V(0123) is 83).
    - Values of less than four characters blot out parts of Ansible's output, which hides them wherever they occur.
    - Text in the place of the mapping (V(TOKEN=...)) is refused, since Ansible would show what it makes of that.
    - Ansible itself shows the item of a loop, with any secret in it, so give such a loop a C(label) in C(loop_control).
  type: raw
credentials:
  description:
    - A mapping, for services alone. Credentials for C(LoadCredential=), by name. The program finds each as a file below
      E(CREDENTIALS_DIRECTORY).
    - Text in the place of the mapping is refused.
  type: raw
triggers:
  description: What the process of a service depends on besides the unit's own text. For services alone.
  type: dict
  suboptions:
    files:
      description:
        - Files on the managed host; when the content of one changes, the unit is treated as changed.
        - To name one file more changes nothing, unless that has changed since the process was started; to name one less
          never does.
      type: list
      elements: path
    values:
      description:
        - Any values, such as a version; when one changes or is added, the unit is treated as changed. To take one away
          changes nothing.
      type: list
      elements: raw
    environment_files:
      description:
        - Whether a file of C(EnvironmentFile=) below C(/etc), C(/usr) or C(/opt) is a trigger too, though it is not
          among the files named here. By default it is.
        - One that lies elsewhere, such as below C(/srv) or C(/home), is none by itself, so a change of it restarts
          nothing until it is named among the files. RV(ignore:unverified) names it in each run, without a warning; with
          V(false) here it does not.
        - The name of an instance is filled into its path, so that a change restarts that one alone. A path with another
          specifier in it, or a pattern, is none.
      type: bool
"""

WATCH = """
health:
  description:
    - How the unit proves that it is up.
    - One that falls before it has come up, and that its own C(Restart=) starts again in time, has failed with its third
      fall (the second, if it ran before and is restarted alone), but not in the five seconds after the first.
    - It has come up when its start is through and its checks pass. Where it has no check and its C(Type=), such as
      C(simple), does not tell, that is when it has stayed up, or as soon as it runs if it ran before and is restarted
      alone.
    - A check may be answered by another unit, as a proxy. Where the unit itself has said that the address is in use, it
      does not pass by that; where the unit listens nowhere, and has nothing to do with the other, there is a warning.
    - A socket takes connections itself, so that the service which a check of it wakes has to stay up too, or to end
      well.
  type: dict
  suboptions:
@HEALTH@
@CHECKS@
"""

PROFILE = """
profile:
  description:
    - How much of the host is kept from the service. Each of V(baseline), V(standard), V(strict) and V(maximum) has what
      the one before it has, and more. V(baseline) suits any service; from V(standard) on a service that starts as root
      and goes on as another user needs V(switch_users) in C(allow).
    - V(sessions) is for what others log in or run jobs by (SSH, cron, D-Bus), for which the others are refused, since
      all of that would inherit them.
    - Defaults to V(standard).
  type: str
  choices: [baseline, standard, strict, maximum, sessions]
allow:
  description:
    - What the service needs of that all the same, by name, such as V(jit), V(low_ports), V(devices), V(home) or
      V(netlink). L(docs/hardening.md, https://github.com/unitwright/systemd/blob/main/docs/hardening.md) has all of
      them, with what each gives back.
    - "Some take a value, as a mapping of their name to it, such as C({network: local}) or C({home: read}). Paths in it
      have to be there, unless written with a C(-) in front."
  type: list
  elements: raw
read_write_paths:
  description:
    - Folders and files that it writes to where the profile makes all read-only. They have to be there, unless
      written with a C(-) in front; what C(StateDirectory=) and the like make is writable by itself.
  type: list
  elements: raw
max_exposure:
  description:
    - The most that its exposure may be, from 0 to 10, by C(systemd-analyze security) of the host over all of the
      service's text. If it were more, nothing is changed, and the error says what could be reached.
    - Before systemd 250 the service is measured by a unit of another name that is loaded for a moment from
      C(/run/systemd/system); in check mode there is only an estimate, and no limit.
  type: float
"""

HARDENING = """
hardening:
  description:
    - A drop-in C(60-hardening) over the service, as M(unitwright.systemd.hardening) makes it. For services alone.
  type: dict
  suboptions:
@PROFILE@
"""

CHANGE = """
on_change:
  description:
    - What is done to a running unit when something changes that a C(daemon-reload) alone does not put into force; it is
      restarted unless something else is said.
    - V(none) leaves what runs as it is and lists it under RV(ignore:kept). A service is listed until someone has
      restarted it, a unit of another kind only in the run that changed it.
    - For a drop-in this counts where its unit is not declared beside it with a text or an C(on_change) of its own; of
      several drop-ins the most cautious counts. A later run for a stack that declares the unit goes by what is said
      there of the unit.
    - V(reload) puts what the program reads anew into force. What a process has from its start (its directives,
      environment, secrets and credentials) is listed under RV(ignore:kept) until it is started anew.
    - V(reload) needs a mount, or C(ExecReload=) or C(Type=notify-reload) in the text of a service or a drop-in over it.
  type: str
  choices: [restart, reload, none]
replace:
  description:
    - Take over a file that is not ours, or define a unit anew that a package defines.
    - Once that is declared V(absent), or pruned, the file of the package is in force again. What runs goes on by it,
      restarted if it says anything else, and what is enabled stays so by its C([Install]); a warning tells how the unit
      is left.
    - The same for the names that C(Alias=) in C([Install]) gives the unit. What runs by such a name is stopped first,
      and a file or link of our folder that is in the way is taken away.
  type: bool
  default: false
"""

TEXT = (SECTIONS, PROCESS, WATCH, CHANGE)

NAME = """
name:
  description: The unit with its suffix, such as V(web.service). A template is V(worker@.service).
  type: str
  required: true
"""

MEMBERS = """
instances:
  description:
    - The instances of a template, as text or whole numbers; O(state) and O(enabled) are for them.
    - An instance may be a mapping of its C(name) and what it has of its own, C(environment), C(secrets),
      C(credentials), C(triggers), C(health), C(state) and C(enabled), each as for a unit. What stands in a text goes to
      the drop-in C(50-instance) over it.
    - In O(health) and O(triggers) of a template with instances, and of an instance, C(%i) and what else the name of an
      instance says is filled in, and C(%%) is a percent sign.
  type: list
  elements: raw
run:
  description:
    - Runs a C(Type=oneshot) service, and waits for its end, whenever its text or a drop-in over it was changed, and
      again after it has failed.
    - It runs once, and before what is ordered after it (C(After=)) is started, restarted or reloaded; if it fails,
      nothing of that was.
  type: str
  choices: [on_change]
"""

ALERT = """
alert:
  description:
    - Who is told when a service fails, as a mapping with one of C(mail), C(webhook) and C(command), and C(journal), as
      documented with C(alerts) of M(unitwright.systemd.stack), or in a stack by the name of one of these.
    - A burst of failures is told once, again after an hour if it goes on, and once more if the service gives up.
  type: raw
"""

STATE = """
enabled:
  description:
    - Whether the unit is enabled. By default a unit with an C([Install]) section, in its text or in a drop-in over it,
      is, unless something else in the declaration starts it (its timer, socket, path or automount), or it is declared
      stopped.
    - The links are held against the C([Install]) section, so that a changed one is enabled anew.
  type: bool
state:
  description:
    - V(present) writes the files and leaves the run state alone. V(restarted) and V(reloaded) do so at every run.
    - V(absent) stops, disables and removes the unit. Of one that took the place of a package's by O(replace), only our
      file goes; say O(replace) there too.
    - A restart that would cut off this very run (of the SSH server, D-Bus or the network) is not done, and the unit is
      listed under RV(ignore:kept); to stop one of those is refused.
    - Defaults to V(started), but to V(present) where something else starts the unit, for a C(Type=oneshot) service
      without C(RemainAfterExit=), for a unit with C(StopWhenUnneeded=), for a template without instances, and for a
      unit without a text here; drop-ins over the unit count for that, whoever has put them there.
    - What would end the run of the host, or change it, such as C(reboot.target), C(rescue.target) or what pulls them
      in, is V(present) as well, and to start it is refused.
    - A mount or swap that someone else has put in place stays, and is listed under RV(ignore:kept) with what differs
      from its text, until it is mounted or switched on anew, for example by V(restarted). A mount that the host stands
      on, such as C(/) or C(/usr), is neither stopped nor restarted.
  type: str
  choices: [started, stopped, restarted, reloaded, present, absent]
masked:
  description:
    - Whether the unit is masked. A masked unit has no text, and V(false) unmasks.
    - A mask is nobody's, and stays when its entry or the stack goes.
  type: bool
"""

UNIT = (NAME, MEMBERS, ALERT, HARDENING, STATE)

WITHOUT = """
without:
  description: What of the stack's C(defaults) it does not take.
  type: list
  elements: str
  choices: [unit, service, environment, secrets, credentials, triggers, health, alert, hardening]
"""

DROPIN = """
name:
  description:
    - The unit that the drop-in is for, such as V(nginx.service), or what stands for many, such as V(worker@.service)
      for all instances, V(app-.service) for all whose names begin so, or V(service) for all services.
    - Of many only units of the same stack are restarted for it. What someone else runs is listed under RV(ignore:kept)
      and is current after its next start, unless C(on_change) is V(restart).
  type: str
  required: true
dropin:
  description: The name of the drop-in, such as V(50-limits); C(.conf) may be left out.
  type: str
  required: true
state:
  description: Whether the drop-in shall be there.
  type: str
  choices: [present, absent]
  default: present
"""

HARDENED = """
name:
  description:
    - The service with its suffix, such as V(nginx.service), V(postgresql@15-main.service), or the template
      V(worker@.service) for all of its instances. What has a drop-in of this name for itself has that one alone.
  type: str
  required: true
state:
  description: Whether the service shall be hardened.
  type: str
  choices: [present, absent]
  default: present
"""

HOST = """
scope:
  description:
    - V(system) is PID 1. V(user) is the manager of the user that the task becomes, which has to run (see linger in
      C(loginctl(1))). V(global) writes units for all users' managers and starts nothing.
  type: str
  choices: [system, user, global]
  default: system
root:
  description:
    - An image or another root folder to write to instead of the running host. Nothing is started there.
    - The systemd of the host that the module runs on judges the files, so it should be no newer than that of the image.
  type: path
on_failure:
  description:
    - What is done when a unit does not become healthy. V(rollback) brings back the files, the enablement and the run
      state of before; V(keep) leaves the new ones. The task fails in either case.
    - Where V(keep) leaves a change that did not get as far as its jobs, the next run of the same stack finishes it.
  type: str
  choices: [rollback, keep]
  default: rollback
"""

STACK = """
state:
  description:
    - V(present) gives each unit the state that its entry says. V(stopped) stops all that is declared, and
      leaves what is not someone else's stopped at boot; V(restarted) restarts at every run what is to run.
    - V(absent) stops, disables and removes everything that belongs to the stack.
  type: str
  choices: [present, stopped, restarted, absent]
  default: present
prune:
  description:
    - Remove units and drop-ins of this stack that are no longer declared, and stop and disable instances that it had
      declared. Without it they are listed under RV(ignore:orphaned). An empty declaration is refused.
    - An instance that this stack has never declared is left as it is.
  type: bool
  default: false
max_removed:
  description: The most files that O(prune) may remove in one run; with more, nothing is done.
  type: int
adopt:
  description:
    - Names of other owners whose files are taken over by this one, and whose interrupted runs are finished by it.
    - Only what is declared here is taken over. What else they have is listed under RV(ignore:orphaned) and goes with
      O(prune), so keep their names here until none of it is left.
    - A unit with secrets is restarted by that, since their file gets another path.
    - The owner of what M(unitwright.systemd.unit) wrote is the unit's name; of M(unitwright.systemd.dropin) it is the
      unit's and the drop-in's, such as V(nginx.service.d-50-limits.conf).
  type: list
  elements: str
defaults:
  description:
    - What all services of the stack have, those of its O(units) with a text and what its timers and sockets bring among
      them. What an entry says itself comes first, and O(services[].without) takes some away. C(triggers) add up.
    - What a timer starts, and a oneshot, gets no C(Restart=) from here, and what is started on demand no C(health). A
      unit as C(content) has no place for C(unit) and C(service).
  type: dict
  suboptions:
@DEFAULTS@
alerts:
  description:
    - Ways to tell someone that a service has failed, by name. Each is a mapping with one of C(mail), an address that
      the host's C(sendmail) takes, C(webhook), an address that gets a POST of JSON, or C(command), a list of words that
      gets the same JSON on its standard input.
    - What is told is the unit, host, result, exit status and number of restarts, and with C(journal=true) the last
      lines of that run.
    - A command, or a C(sendmail), that is not on the host is an error, and in check mode listed under
      RV(ignore:unverified).
    - A message that cannot be sent is sent again within three minutes. The address of a webhook is a secret.
    - A drop-in C(50-alert) over each service, and one template unit for the stack, do it.
  type: dict
health:
  description: Defaults for the units' own C(health).
  type: dict
  suboptions:
@HEALTH@
"""


class ModuleDocFragment:
    """Parts of the fragments in options.py; no module takes this one by itself."""
