# Copyright: Unitwright contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runtimes print at their end that no testbed has installed."""

from __future__ import annotations

# What Node.js 18 prints.
NODE_TAKEN = """\
node:events:491
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use :::3001
    at Server.setupListenHandle [as _listen2] (node:net:1463:16)
    at listenInCluster (node:net:1511:12)
    at Server.listen (node:net:1599:7)
    at Object.<anonymous> (/opt/node/node.js:3:3)
    at Module._compile (node:internal/modules/cjs/loader:1105:14)
    at Module._extensions..js (node:internal/modules/cjs/loader:1159:10)
    at Module.load (node:internal/modules/cjs/loader:981:32)
    at Module._load (node:internal/modules/cjs/loader:827:12)
    at Function.executeUserEntryPoint [as runMain] (node:internal/modules/run_main:77:12)
    at node:internal/main/run_main_module:17:47
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1490:8)
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
node:internal/modules/cjs/loader:1080
  throw err;
  ^

Error: Cannot find module 'express'
Require stack:
- /opt/node/node.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1077:15)
    at Module._load (node:internal/modules/cjs/loader:922:27)
    at Object.<anonymous> (/opt/node/node.js:1:1) {
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
    at packageResolve (node:internal/modules/esm/resolve:965:9) {
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
