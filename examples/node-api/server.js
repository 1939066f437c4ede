// Copyright: Unitwright contributors
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// GET /health says what it runs with; GET /token gives a signed token. All that it is told comes from its environment.

'use strict';

const { createHmac } = require('node:crypto');
const { appendFile } = require('node:fs');
const http = require('node:http');

const { DATABASE_URL, JWT_SECRET, NODE_ENV, PORT } = process.env;

const answers = {
  '/health': () => ({ status: 'ok', stage: NODE_ENV, database: new URL(DATABASE_URL).host }),
  '/token': () => ({ token: createHmac('sha256', JWT_SECRET).update('demo').digest('hex') }),
};

const server = http.createServer((request, response) => {
  const answer = answers[request.url];
  response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(answer ? answer() : { error: 'not found' }));
  appendFile('logs/access.log', `${request.method} ${request.url}\n`, (error) => error && console.error(error.message));
});

process.on('SIGTERM', () => server.close(() => process.exit(0)));
server.listen(PORT, () => console.log(`Listening on port ${PORT}`));
