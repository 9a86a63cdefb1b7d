// The source `file` in a complete Fairlead: endpoints come and go under load without a lost request. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';
import { shareFairlead } from '../../support/shared-fairlead.ts';

const PASSIVE = 'health: { heartbeat: false }';

function listOf(apps: readonly AppServer[]): string {
  return apps.map(({ address }) => `- http://${address}\n`).join('') || '[]\n';
}

/** @param start the tests share a Fairlead unless they need one of their own */
async function begin(
  t: TestContext,
  count: number,
  more = '',
  start = (yaml: string) => shareFairlead('source file', yaml),
) {
  const apps = await startApps(t, count);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-discovery-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const list = path.join(folder, 'list.yaml');
  const write = (text: string): void => {
    writeFileSync(`${list}.next`, text);
    renameSync(`${list}.next`, list);
  };
  write(listOf(apps.slice(0, 1)));
  const yaml = `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
workers: 2
upstreams:
  api:
    discover: { file: { path: ${list} } }
    ${PASSIVE}
    ${more}
`;
  const fairlead = await start(yaml);
  return { apps, folder, list, write, fairlead, yaml };
}

async function bodyOf({ url }: RunningFairlead, fields: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers: fields });
  return response.ok ? response.text() : `${response.status}`;
}

/** Sends requests one after another on several connections until it is stopped. */
function load(fairlead: RunningFairlead) {
  const answers = new Map<string, number>();
  const end = new AbortController();
  const client = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const body = await bodyOf(fairlead).catch((error: unknown) => String(error));
      answers.set(body, (answers.get(body) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 8 }, client);
  const stop = async (): Promise<ReadonlyMap<string, number>> => {
    end.abort();
    await Promise.all(clients);
    return answers;
  };
  return { answers, stop };
}

function endpointsOf({ plane }: RunningFairlead): string[] {
  return plane.snapshot.upstreams[0]!.endpoints.map(({ id }) => id).toSorted();
}

describe('the source file', () => {
  test('replaces endpoints under load without a lost request, and without a revision', async (t) => {
    const { apps, write, fairlead } = await begin(t, 4);
    const { answers, stop } = load(fairlead);
    await eventually(() => answers.has('a'), 'the first endpoint serves');
    for (const set of [[1, 2], [2], [0, 3], [1, 3], [0, 1, 2, 3], [3], [0, 2]]) {
      const chosen = set.map((at) => apps[at]!);
      write(listOf(chosen));
      const expected = chosen
        .map(({ address }) => address)
        .toSorted()
        .join();
      await eventually(() => endpointsOf(fairlead).join() === expected, `the endpoints are ${set.join()}`);
      const before = new Map(answers);
      const isUsed = ({ name }: AppServer): boolean => (answers.get(name) ?? 0) > (before.get(name) ?? 0) + 2;
      await eventually(() => chosen.every(isUsed), `${set.join()} serve`);
    }
    assert.deepEqual([...(await stop()).keys()].toSorted(), ['a', 'b', 'c', 'd']);
    assert.equal(fairlead.plane.snapshot.revision, 1);
    assert.equal(fairlead.plane.snapshot.membership, 7);
  });

  test('sends nothing to a removed endpoint, and places waiting requests at a new one', async (t) => {
    const { apps, write, fairlead } = await begin(t, 2, 'timeouts: { response: 60s, queue: 20s }');
    assert.equal(await bodyOf(fairlead), 'a');
    write(listOf([]));
    await eventually(() => endpointsOf(fairlead).length === 0, 'no endpoint is left');
    const { served } = apps[0]!;
    const waiting = Promise.all([bodyOf(fairlead), bodyOf(fairlead)]);
    write(listOf(apps.slice(1)));
    assert.deepEqual(await waiting, ['b', 'b']);
    assert.equal(apps[0]!.served, served);
  });

  test('keeps the last good set while the file is broken or missing, and locates the mistake', async (t) => {
    const { apps, list, write, fairlead } = await begin(t, 2);
    write('- http://127.0.0.1:1\n- { url: http:/');
    const logged = (text: RegExp) => () => fairlead.log.some((line) => line.level === 'warn' && text.test(line.text));
    await eventually(logged(/source file of upstream api failed: .*list\.yaml:2:\d+: .*; 1 endpoint/), 'it is logged');
    rmSync(list);
    assert.equal(await bodyOf(fairlead), 'a');
    write(listOf(apps.slice(1)));
    await eventually(async () => (await bodyOf(fairlead)) === 'b', 'the repaired file is used');
    rmSync(list);
    const loss = logged(/source file of upstream api failed: .*list\.yaml does not exist; 1 endpoint/);
    await eventually(loss, 'the loss is logged');
    assert.equal(await bodyOf(fairlead), 'b');
  });

  test('follows a symbolic link that is switched, as Kubernetes does with a ConfigMap', async (t) => {
    const { apps, folder, list, fairlead } = await begin(t, 2);
    for (const [at, app] of apps.entries()) {
      mkdirSync(path.join(folder, `data-${at}`));
      writeFileSync(path.join(folder, `data-${at}`, 'list.yaml'), listOf([app]));
    }
    const link = (at: number): void => {
      symlinkSync(`data-${at}`, path.join(folder, 'next'));
      renameSync(path.join(folder, 'next'), path.join(folder, 'data'));
    };
    link(1);
    rmSync(list);
    symlinkSync('data/list.yaml', list);
    await eventually(async () => (await bodyOf(fairlead)) === 'b', 'the link is followed');
    link(0);
    await eventually(async () => (await bodyOf(fairlead)) === 'a', 'the switched link is followed');
  });

  test('grows beyond every number of the start, and gives slots back', async (t) => {
    const { apps, write, fairlead } = await begin(t, 1, '', (yaml) => startFairlead(t, yaml));
    const others = Array.from({ length: 3_000 }, (_, at) => `- http://127.1.${at >> 8}.${at & 255}:1\n`);
    write(others.join(''));
    await eventually(() => endpointsOf(fairlead).length === 3_000, 'all endpoints are there');
    write(listOf(apps));
    await eventually(() => endpointsOf(fairlead).length === 1, 'one is left');
    assert.equal(await bodyOf(fairlead), 'a');
  });

  test('stands beside configured endpoints, which have precedence, and survives reloads', async (t) => {
    const { apps, write, fairlead, yaml } = await begin(t, 3);
    const configured = `endpoints: [{ url: "http://${apps[2]!.address}", weight: 7 }]`;
    fairlead.rewrite(yaml.replace(PASSIVE, `${PASSIVE}\n    ${configured}`));
    write(listOf(apps));
    assert.equal((await fairlead.plane.reload()).ok, true);
    await eventually(() => endpointsOf(fairlead).length === 3, 'all three are there');
    const { endpoints } = fairlead.plane.snapshot.upstreams[0]!;
    assert.deepEqual(
      endpoints.map(({ source, weight }) => `${source} ${weight}`),
      ['config 7', 'file 1', 'file 1'],
    );
    const slots = endpoints.map(({ slot, generation }) => `${slot}/${generation}`);
    assert.equal((await fairlead.plane.reload()).ok, true);
    const after = fairlead.plane.snapshot.upstreams[0]!.endpoints;
    assert.deepEqual(
      after.map(({ slot, generation }) => `${slot}/${generation}`),
      slots,
      'a reload moves nothing',
    );
  });

  test('keeps sticky clients at endpoints that stay, and moves those of endpoints that leave', async (t) => {
    const { apps, write, fairlead } = await begin(
      t,
      3,
      'sticky: { cookie: lb, secret: 0123456789abcdef0123456789abcdef }',
    );
    const first = await fetch(fairlead.url);
    assert.equal(await first.text(), 'a');
    const cookie = first.headers.getSetCookie()[0]!.split(';')[0]!;
    write(listOf(apps));
    await eventually(() => endpointsOf(fairlead).length === 3, 'all three are there');
    for (let turn = 0; turn < 6; turn++) assert.equal(await bodyOf(fairlead, { cookie }), 'a');
    write(listOf(apps.slice(1)));
    await eventually(() => endpointsOf(fairlead).length === 2, 'the first is gone');
    const moved = await fetch(fairlead.url, { headers: { cookie } });
    assert.notEqual(await moved.text(), 'a');
    assert.equal(moved.headers.getSetCookie().length, 1, 'the client gets a cookie of its new endpoint');
  });
});
