# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page of a report looks: in dark and light, on a phone, and on paper."""

from __future__ import annotations

# Each colour of text has a contrast of more than 4.5 to each of the grounds.
STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --text: #1a1e24; --dim: #57606a; --line: #d5dae0;
  --bad: #b3261e; --warn: #8a5300; --good: #1a6b3a; --link: #0a58b0 }
@media (prefers-color-scheme: dark) { :root { --ground: #101418; --card: #181d23; --text: #e7eaee; --dim: #9ba5b1;
  --line: #303841; --bad: #ff8f85; --warn: #f7b955; --good: #7ed69b; --link: #84bbff } }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .75rem }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
h3 { display: inline; font-size: 1rem; margin: 0 }
p { margin: 0 }
a { color: var(--link) }
ul { list-style: none; margin: 0; padding: 0 }
code { font-size: .85rem }
.bad { color: var(--bad) } .warn { color: var(--warn) } .good { color: var(--good) }
.dim, header > p, footer { color: var(--dim); font-size: .875rem }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: .75rem }
.counts li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .25rem .75rem }
.counts b { font-size: 1.25rem }
nav a { display: inline-block; padding: .25rem .75rem .25rem 0 }
header { margin-bottom: 1.5rem }
details, p.host { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .4rem 0;
  scroll-margin-top: .5rem }
summary, p.host { padding: .5rem .75rem }
summary { cursor: pointer }
summary::after, p.host::after { content: ""; display: block; clear: both }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: .25rem }
summary > span, p.host > span { font-size: .875rem; float: right; margin-left: .75rem; line-height: 1.7 }
:target { border-color: var(--link); border-width: 2px }
details > :not(summary) { margin-left: .75rem; margin-right: .75rem }
details > :last-child:not(summary) { margin-bottom: .6rem }
li > b, li > b + span { margin-right: .5rem }
details li { border-top: 1px solid var(--line); padding: .5rem 0 }
details p + p { margin-top: .1rem }
.mend::before { content: "→ "; color: var(--good) }
.names { font-size: .875rem }
.names a { display: inline-block; padding: .15rem .5rem .15rem 0 }
.units > li > span { color: var(--dim); font-size: .875rem }
.units .ill { border-left: 3px solid var(--bad); padding-left: .6rem }
.drills { margin: .35rem 0 0 .75rem }
.drills li { padding: .2rem 0; font-size: .9375rem }
footer { margin-top: 2rem }
@media print { body { max-width: none } details::details-content { content-visibility: visible; height: auto }
  details, li { break-inside: avoid } }
"""
