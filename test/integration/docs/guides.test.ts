// Runs the steps of the guides: HTTPS (docs/tls.md), replacing a Compose service (docs/containers.md) and moving a site from
// another proxy (docs/migrating.md). Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Step, runSteps, stepsOf, yamlOf } from './page-steps.ts';

/** Servers that say which one they are; `old` is a proxy in front of `api` and `pages`. */
const SERVERS = `
import { createServer } from 'node:http';
const [name, port] = process.argv.slice(2);
createServer((request, response) => {
  if (name !== 'old') return response.end(name + '\\n');
  if (!request.url.startsWith('/blog/')) return response.end(request.url.startsWith('/api/') ? 'api\\n' : 'pages\\n');
  response.writeHead(301, { location: 'https://blog.example.com' + request.url }).end('moved');
}).listen(Number(port), '127.0.0.1');
`;

function started(...servers: readonly (readonly [name: string, port: string])[]): Step {
  const text = servers.map(([name, port]) => `node servers.mjs ${name} ${port} &`).join('\n');
  return { heading: 'Servers', text };
}

function filesOf(page: string): Record<string, string> {
  return { 'servers.mjs': SERVERS, 'fairlead.yaml': yamlOf(page, 'fairlead.yaml') };
}

test('HTTPS: the certificate is served, and replaced without a reload', async (t) => {
  const page = 'docs/tls.md';
  const { code, output, errors } = await runSteps(t, {
    ports: ['3001', '8080', '8443', '9900'],
    files: filesOf(page),
    steps: [started(['app', '3001']), ...stepsOf(page, 'step')],
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  assert.match(output, /fairlead\.yaml: ok/);
  assert.match(output, /^308 https:\/\/127\.0\.0\.1:8443\/cart\napp$/m);
  assert.match(output, /shop\.example\.com/);
  assert.equal(errors.match(/certificate .* replaced/g)?.length, 1, errors);
});

/** `docker compose` of the two services of the page. */
const DOCKER = `
echo "$*" >> docker.log
case "$*" in
  "compose up --detach --no-deps green") node servers.mjs green 3002 > /dev/null 2>&1 & echo $! > green.pid ;;
  "compose stop blue") kill "$(cat blue.pid)" ;;
  *) exit 64 ;;
esac`;

test('Compose: the other service takes over, and the first one is stopped', async (t) => {
  const page = 'docs/containers.md';
  const files = filesOf(page);
  const running = `node servers.mjs blue 3001 & echo $! > blue.pid
fairlead run --config fairlead.yaml > access.log &
until curl --silent --fail http://127.0.0.1:8080/; do sleep 1; done`;
  const { code, output, errors } = await runSteps(t, {
    ports: ['3001', '3002', '8080', '9900'],
    programs: { docker: DOCKER },
    files: { ...files, 'fairlead.yaml': files['fairlead.yaml']!.replace('slowStart: 20s', 'slowStart: 1s') },
    steps: [
      { heading: 'Before', text: running },
      ...stepsOf(page, 'step'),
      { heading: 'After', text: 'curl --silent --fail http://127.0.0.1:8080/; cat docker.log' },
    ],
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  assert.match(output, /## Before\n(?:.*\n)*blue\n/);
  assert.match(output, /## After\ngreen\ncompose up --detach --no-deps green\ncompose stop blue\n$/);
});

test('moving a site: both proxies give the same answers', async (t) => {
  const page = 'docs/migrating.md';
  const servers = started(['api', '3001'], ['pages', '3002'], ['old', '8080']);
  const { code, output, errors } = await runSteps(t, {
    ports: ['3001', '3002', '8080', '8081', '9900'],
    files: filesOf(page),
    steps: [servers, ...stepsOf(page, 'step')],
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  assert.match(output, /fairlead\.yaml: ok/);
  assert.match(output, /^route +api -> upstream api$/m);
  assert.match(output, /same: \/\nsame: \/api\/items\nsame: \/blog\/2020\n/);
});
