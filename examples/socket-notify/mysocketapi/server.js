// Copyright: Unitwright contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The socket is systemd's and stays open while this process is replaced: what connects meanwhile waits in its queue.

'use strict';

const { execFile } = require('node:child_process');
const http = require('node:http');

const FIRST_PASSED = 3;

const server = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', Connection: 'close' });
  response.end(`Answered by process ${process.pid}\n`);
});

// What was accepted is answered first, so that nothing is lost.
process.on('SIGTERM', () => server.close(() => process.exit(0)));

server.listen({ fd: FIRST_PASSED }, () => {
  execFile('systemd-notify', ['--ready', `--status=Serving as process ${process.pid}`], (error) => {
    if (error) throw error;
  });
});
