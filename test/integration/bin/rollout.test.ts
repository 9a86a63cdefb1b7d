// `fairlead rollout` with processes of their own under load: no request fails, and a version that is not healthy is rolled
// back. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { buildProgram } from '../../../bin/commands/program.ts';
import { freePorts } from '../../../scripts/peers/free-port.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';
import { patientMs } from '../../support/patience.ts';

/** Answers with its name; a heartbeat with its status. It dies at once when it is stopped. */
const APP = `
import { createServer } from 'node:http';
const [port, name, status] = process.argv.slice(2);
createServer((request, response) => {
  if (request.url === '/healthz') return response.writeHead(Number(status)).end();
  request.resume().on('end', () => setTimeout(() => response.end(name), 5));
}).listen(Number(port), '127.0.0.1');
`;

const CONFIG = `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams:
  api:
    endpoints: ["http://127.0.0.1:OLD"]
    slowStart: 500ms
    health: { heartbeat: { path: /healthz, interval: 400ms, timeout: 400ms } }
admin: { bind: "127.0.0.1:0" }
`;

/** Fairlead before one application, whose versions replace each other. */
class Site {
  readonly fairlead: RunningFairlead;
  readonly #t: TestContext;

  constructor(t: TestContext, fairlead: RunningFairlead) {
    this.fairlead = fairlead;
    this.#t = t;
  }

  killAll(): void {
    for (const name of ['v1', 'v2', 'v3', 'v4']) if (this.isRunning(name)) process.kill(this.#pid(name), 'SIGKILL');
  }

  /** Shell command that starts a version in the background. */
  start(name: string, port: number, status = 200): string {
    const { folder } = this.fairlead;
    const output = `>/dev/null 2>&1 & echo $! >${folder}/${name}.pid`;
    return `${process.execPath} ${folder}/app.mjs ${port} ${name} ${status} ${output}`;
  }

  stop(name: string): string {
    return `kill -9 $(cat ${this.#pidFile(name)})`;
  }

  isRunning(name: string): boolean {
    if (!existsSync(this.#pidFile(name))) return false;
    // A process that has ended is a zombie until its parent, which isn't this process, collects it.
    const stat = `/proc/${this.#pid(name)}/stat`;
    return existsSync(stat) && !readFileSync(stat, 'utf8').includes(') Z ');
  }

  /** A killed process ends a moment after the command that kills it. */
  hasStopped(name: string): Promise<void> {
    return eventually(() => !this.isRunning(name), `${name} has stopped`);
  }

  async rollout(args: readonly string[]) {
    const printed: string[] = [];
    const print = (text: string): void => void printed.push(text);
    const mocks = [this.#t.mock.method(console, 'log', print), this.#t.mock.method(console, 'error', print)];
    process.exitCode = 0;
    const admin = ['--admin', this.fairlead.adminUrl.replace('http://', '')];
    await buildProgram('0.0.0').parseAsync(['rollout', 'api', ...args, ...admin], { from: 'user' });
    const { exitCode } = process;
    process.exitCode = 0;
    for (const { mock } of mocks) mock.restore();
    return { exitCode, text: printed.join('\n') };
  }

  async endpoints(): Promise<string[]> {
    const response = await fetch(`${this.fairlead.adminUrl}/api/v1/upstreams/api`);
    const { endpoints } = (await response.json()) as { endpoints: { name: string; availability: string }[] };
    return endpoints.map(({ name, availability }) => `${name} ${availability}`);
  }

  #pidFile(name: string): string {
    return path.join(this.fairlead.folder, `${name}.pid`);
  }

  #pid(name: string): number {
    return Number(readFileSync(this.#pidFile(name), 'utf8'));
  }
}

/** Requests by several clients until `stop` is called, which returns how often each answer came. */
function startLoad(url: string) {
  const answers = new Map<string, number>();
  const end = new AbortController();
  const client = async (method: string): Promise<void> => {
    while (!end.signal.aborted) {
      const answer = await fetch(url, { method, ...(method === 'POST' && { body: 'x' }) }).then(
        async (response) => `${response.status} ${await response.text()}`,
        (error: unknown) => String(error),
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const clients = Promise.all(['GET', 'POST', 'GET', 'POST'].map(client));
  return {
    answers,
    stop: async () => {
      end.abort();
      await clients;
    },
  };
}

test('fairlead rollout loses no request, and rolls a version back that is not healthy', async (t) => {
  const [p1, p2, p3] = (await freePorts(3)) as [number, number, number];
  let started: Site | null = null;
  // Before Fairlead's own hook, which removes the files with the process ids.
  t.after(() => started?.killAll());
  const site = new Site(t, await startFairlead(t, CONFIG.replace('OLD', String(p1)), { 'app.mjs': APP }));
  started = site;
  const { execSync } = await import('node:child_process');
  execSync(site.start('v1', p1));
  const isUp = async (): Promise<boolean> => (await (await fetch(site.fairlead.url)).text()) === 'v1';
  await eventually(isUp, 'the first version serves');
  const load = startLoad(site.fairlead.url);
  t.after(() => load.stop());
  const timeout = ['--timeout', `${Math.round(patientMs(8_000))}ms`];

  const toSecond = ['--old', `127.0.0.1:${p1}`, '--new', `127.0.0.1:${p2}`, '--stop', site.stop('v1')];
  const first = await site.rollout([...toSecond, '--start', site.start('v2', p2), ...timeout]);
  assert.equal(first.exitCode, 0, first.text);
  assert.match(first.text, /comes from the configuration: it stays in maintenance/);
  assert.deepEqual(await site.endpoints(), [`127.0.0.1:${p1} maintenance`, `127.0.0.1:${p2} up`]);
  await site.hasStopped('v1');
  assert.ok(site.isRunning('v2'));
  const event = site.fairlead.log.find(({ text }) => text.includes(`${p2} warms up`));
  assert.ok(event, 'the new endpoint has a slow start');

  const args = ['--old', `127.0.0.1:${p2}`, '--new', `127.0.0.1:${p3}`, '--stop', site.stop('v2')];
  const failing = ['--start', site.start('v3', p3, 500), '--rollback', site.stop('v3')];
  const second = await site.rollout([...args, ...failing, '--timeout', '1500ms']);
  assert.equal(second.exitCode, 1, second.text);
  assert.match(second.text, /heartbeats, newest first.*500.*rolled back: api\/127\.0\.0\.1:\d+ is not healthy after/s);
  await site.hasStopped('v3');
  assert.ok(site.isRunning('v2'));

  const third = site.rollout([...args, '--start', site.start('v4', p3), '--rollback', site.stop('v4'), '--json']);
  await eventually(async () => (await site.endpoints()).length === 3, 'the third one is a member');
  process.emit('SIGHUP');
  const { exitCode, text } = await third;
  assert.equal(exitCode, 1, text);
  assert.match(text, /"cause": "interrupted"/);
  assert.deepEqual(await site.endpoints(), [`127.0.0.1:${p1} maintenance`, `127.0.0.1:${p2} up`]);
  await site.hasStopped('v4');
  assert.ok(site.isRunning('v2'));

  await load.stop();
  const { answers } = load;
  assert.deepEqual(
    [...answers.keys()].filter((answer) => !/^200 v[124]$/.test(answer)),
    [],
  );
  assert.ok(answers.get('200 v1')! > 10 && answers.get('200 v2')! > 50, JSON.stringify([...answers]));
});
