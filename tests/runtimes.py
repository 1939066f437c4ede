# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runtimes print at their end that no testbed has installed."""

from __future__ import annotations

# What Node.js 18.20.4 of Debian prints.
NODE_TAKEN = """\
node:events:495
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::3001
    at Server.setupListenHandle [as _listen2] (node:net:1811:16)
    at listenInCluster (node:net:1859:12)
    at Server.listen (node:net:1947:7)
    at Server.<anonymous> ([eval]:1:76)
    at Object.onceWrapper (node:events:631:28)
    at Server.emit (node:events:529:35)
    at emitListeningNT (node:net:1845:10)
    at process.processTicksAndRejections (node:internal/process/task_queues:81:21)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1838:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  code: 'EADDRINUSE',
  errno: -98,
  syscall: 'listen',
  address: '::',
  port: 3001
}

Node.js v18.20.4
"""
NODE_REFUSED = NODE_TAKEN.replace("EADDRINUSE: address already in use :::3001", "EACCES: permission denied 0.0.0.0:83")
NODE_REFUSED = NODE_REFUSED.replace("EADDRINUSE", "EACCES").replace("3001", "83").replace("-98", "-13")
NODE_MODULE = """\
node:internal/modules/cjs/loader:1143
  throw err;
  ^

Error: Cannot find module 'express'
Require stack:
- /opt/node/node.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)
    at Module._load (node:internal/modules/cjs/loader:981:27)
    at Module.require (node:internal/modules/cjs/loader:1231:19)
    at require (node:internal/modules/helpers:177:18)
    at [eval]:1:1
    at runScriptInThisContext (node:internal/vm:143:10)
    at node:internal/process/execution:100:14
    at [eval]-wrapper:6:24
    at runScript (node:internal/process/execution:83:62)
    at evalScript (node:internal/process/execution:114:10) {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/opt/node/node.js' ]
}

Node.js v18.20.4
"""
NODE_PACKAGE = """\
node:internal/errors:496
    ErrorCaptureStackTrace(err);
    ^

Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'express' imported from /opt/node/node.mjs
    at new NodeError (node:internal/errors:405:5)
    at packageResolve (node:internal/modules/esm/resolve:916:9)
    at moduleResolve (node:internal/modules/esm/resolve:973:20)
    at defaultResolve (node:internal/modules/esm/resolve:1206:11)
    at ModuleLoader.defaultResolve (node:internal/modules/esm/loader:404:12)
    at ModuleLoader.resolve (node:internal/modules/esm/loader:373:25)
    at ModuleLoader.getModuleJob (node:internal/modules/esm/loader:250:38)
    at ModuleWrap.<anonymous> (node:internal/modules/esm/module_job:76:39)
    at link (node:internal/modules/esm/module_job:75:36) {
  code: 'ERR_MODULE_NOT_FOUND'
}

Node.js v18.20.4
"""
NODE_FILE = """\
node:fs:603
  return handleErrorFromBinding(ctx);
         ^

Error: ENOENT: no such file or directory, open '/opt/nowhere/app.json'
    at Object.openSync (node:fs:601:3)
    at Object.readFileSync (node:fs:469:35) {
  errno: -2,
  syscall: 'open',
  code: 'ENOENT',
  path: '/opt/nowhere/app.json'
}

Node.js v18.20.4
"""
# What redis 7.0.15 and gunicorn 20.1.0 of Debian say of a port that is taken.
REDIS_TAKEN = """\
1299:M 27 Nov 2026 20:05:47.404 # Warning: Could not create server TCP listening socket 127.0.0.1:6379: bind: \
Address already in use
1299:M 27 Nov 2026 20:05:47.404 # Failed listening on port 6379 (TCP), aborting.
"""
GUNICORN_TAKEN = """\
[2026-11-27 20:05:58 +0000] [1095] [ERROR] Connection in use: ('127.0.0.1', 8000)
[2026-11-27 20:05:58 +0000] [1095] [ERROR] Retrying in 1 second.
[2026-11-27 20:05:59 +0000] [1095] [ERROR] Can't connect to ('127.0.0.1', 8000)
"""
