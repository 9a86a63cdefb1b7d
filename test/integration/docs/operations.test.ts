// Runs the commands for operators (docs/operations.md, docs/admin-api.md, docs/discovery.md, docs/runbooks.md, maintenance and
// splits) against one Fairlead, with `systemctl` replaced. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortOrLong } from '../../support/test-length.ts';
import { type Step, runSteps, stepsOf } from './page-steps.ts';

const SERVER = `
import { createServer } from 'node:http';
createServer((_, response) => response.end('ok')).listen(Number(process.argv[2]), '127.0.0.1');
`;

/** The names of the pages; the addresses are loopback ones in place of 10.0.0.0/24. */
const FAIRLEAD = `
listeners: [{ name: web, bind: "127.0.0.1:8080" }]
routes:
  - name: shop
    match: { host: shop.example.com }
    split: [{ upstream: api, weight: 95 }, { upstream: next, weight: 5 }]
upstreams:
  api: { endpoints: ["http://127.0.0.1:3000"], health: { heartbeat: { path: /, interval: 200ms } } }
  next: { endpoints: ["http://127.0.0.1:3000"], health: { heartbeat: { path: /, interval: 200ms } } }
admin: { bind: 127.0.0.1:9900 }
`;

const SYSTEMCTL = `
port=\${2#app@}
case "$1" in
  start) node server.mjs "$port" > server.log 2>&1 & echo $! > "$port.pid" ;;
  stop) kill "$(cat "$port.pid")" ;;
esac`;

const START = 'Start';

/**
 * Lines for another shell, or for programs that are not here. test/peers runs those of Consul and etcd, and the last test of
 * this file the upgrade.
 */
const ELSEWHERE =
  /^(?:kill -HUP PID|fairlead run|fairlead upgrade|curl .*--unix-socket|sed |systemctl kill|consul |etcdctl )/;

interface Block {
  readonly page: string;
  readonly heading: string;
  /** In the output of the block. */
  readonly prints: RegExp;
}

/** In an order in which each finds what it needs. Each command starts a process: those of SHORT run in every test run. */
const BLOCKS: readonly Block[] = [
  { page: 'docs/operations.md', heading: 'Check', prints: /^fairlead\.yaml: ok$/m },
  { page: 'docs/operations.md', heading: 'Reload', prints: /^revision 2 runs/m },
  { page: 'docs/operations.md', heading: 'A request went elsewhere', prints: /(?:^route +shop.*){2}/ms },
  { page: 'docs/operations.md', heading: 'Print the running configuration', prints: /(?:^upstreams:$.*){3}/ms },
  { page: 'docs/policies/maintenance.md', heading: 'Maintenance', prints: /(?:503.*){3}/s },
  { page: 'docs/policies/split.md', heading: 'Splits', prints: /next.* 10/ },
  { page: 'docs/discovery.md', heading: 'Endpoints added by hand', prints: /127\.0\.0\.9:3000 .*weight 2/ },
  { page: 'docs/admin-api.md', heading: 'Changes', prints: /"admin":"drain".*"weight":20/s },
  { page: 'docs/runbooks.md', heading: 'Runbooks', prints: /^api\/127\.0\.0\.1:3000 is /m },
  { page: 'docs/operations.md', heading: 'Replace a process', prints: /127\.0\.0\.1:3001/ },
];
const SHORT = ['Check', 'Reload', 'Endpoints added by hand', 'Changes', 'Replace a process'];
const IS_LONG = shortOrLong(0, 1) === 1;
const RUN = BLOCKS.filter(({ heading }) => IS_LONG || SHORT.includes(heading));

function stepsUnder({ page, heading }: Block): Step[] {
  const found = stepsOf(page, '').filter((step) => step.heading === heading);
  assert.notEqual(found.length, 0, `${page} has commands under ${heading}`);
  return found;
}

/** A reply of the admin API that is an error fails the step. */
function change({ heading, text }: Step): string {
  if (heading === START) return text;
  const lines = text.replaceAll('10.0.0.', '127.0.0.').replaceAll('/etc/fairlead/', '').split('\n');
  return lines
    .filter((line) => !ELSEWHERE.test(line))
    .join('\n')
    .replaceAll('curl -s', 'curl -sS --fail-with-body');
}

test('the commands for operators do what their pages say', async (t) => {
  const start = `systemctl start app@3000
fairlead run > access.log &
until curl --silent --fail --output /dev/null http://127.0.0.1:9900/readyz; do sleep 0.2; done`;
  const { code, output, errors, under } = await runSteps(t, {
    ports: ['3000', '3001', '8080', '9900'],
    files: { 'server.mjs': SERVER, 'fairlead.yaml': FAIRLEAD, 'next.yaml': FAIRLEAD },
    programs: { systemctl: SYSTEMCTL },
    steps: [{ heading: START, text: start }, ...RUN.flatMap(stepsUnder)],
    change,
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  for (const { page, heading, prints } of RUN) assert.match(under(heading), prints, `${page}: ${heading}`);
});

test('the upgrade replaces the process under the holder', {
  skip: !IS_LONG && 'only in npm run test:long',
}, async (t) => {
  const page = 'docs/operations.md';
  const upgrade = stepsOf(page, '').filter(({ text }) => text.startsWith('fairlead upgrade'));
  assert.equal(upgrade.length, 1);
  const start = `fairlead run --holder > access.log &
until curl --silent --fail --output /dev/null http://127.0.0.1:9900/readyz; do sleep 0.2; done`;
  const { code, output, errors } = await runSteps(t, {
    ports: ['3000', '8080', '9900'],
    files: { 'fairlead.yaml': FAIRLEAD },
    steps: [{ heading: START, text: start }, ...upgrade, { heading: 'After', text: 'fairlead status' }],
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  assert.match(output, /## After\nFairlead: ready/);
  assert.equal(errors.match(/"text":"ready: /g)?.length, 2, errors);
});
