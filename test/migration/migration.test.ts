// Sites of nginx and HAProxy beside their Fairlead form: the same requests lead to the same responses and app servers, but for
// the differences that are listed. One process of each peer serves all of its sites. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { loadConfig } from '../../config/load.ts';
import { ControlPlane } from '../../control/control-plane.ts';
import { freePort } from '../../scripts/peers/free-port.ts';
import { haproxy } from '../../scripts/peers/haproxy.ts';
import { nginx, nginxPreamble } from '../../scripts/peers/nginx.ts';
import type { RunningPeer } from '../../scripts/peers/peer.ts';
import { preparePrograms } from '../../scripts/peers/program.ts';
import { recordingLog } from '../support/loggers.ts';
import { requirePeer } from '../support/peers.ts';
import { describingApp } from './describing-app.ts';
import { differencesOf, filledIn, type MigratedSite, outcomeOf, type Places } from './migrated-site.ts';
import { SITES } from './sites.ts';

/** Hash of `open sesame`, at the lowest cost. */
const BCRYPT = '$2y$04$yHWEh4zjns2bQJL/H/obWul9m7V/tco.m37e58wM2hKXILn82m6ri';
const FOLDER = import.meta.dirname;
/** Request fields that are compared although Fairlead sends them to all app servers. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  'node-app': ['x-forwarded-for', 'x-forwarded-proto', 'x-real-ip'],
  'api-pair': ['x-forwarded-for', 'x-forwarded-proto'],
};

const cleanups: (() => unknown)[] = [];
const t = { after: (run: () => unknown) => cleanups.unshift(run) } as unknown as TestContext;
const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-migration-'));
let places: Places = {};
let fairlead: ReadonlyMap<string, number> = new Map();

function writeSite(root: string): void {
  for (const name of ['docs', 'assets', '.well-known/acme-challenge'])
    mkdirSync(path.join(root, name), { recursive: true });
  const files: Readonly<Record<string, string | Buffer>> = {
    'index.html': '<h1>home</h1>',
    '50x.html': '<h1>Back soon</h1>',
    'docs/index.html': '<h1>docs</h1>',
    'assets/app.js': 'let a = 1;',
    'assets/app.js.gz': gzipSync('let a = 1;'),
    '.well-known/acme-challenge/token': 'token.key',
    '.hidden': 'hidden',
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(root, name), content);
    utimesSync(path.join(root, name), 1_893_456_000, 1_893_456_000);
  }
}

before(async () => {
  preparePrograms();
  const root = path.join(folder, 'site');
  writeSite(root);
  const htpasswd = path.join(folder, 'staff.htpasswd');
  writeFileSync(htpasswd, `anna:${BCRYPT}\n`);
  const apps = await Promise.all(['a', 'b', 'c'].map((name) => describingApp(t, name)));
  const [APP_A, APP_B, APP_C] = apps.map(String);
  places = {
    APP_A: APP_A!,
    APP_B: APP_B!,
    APP_C: APP_C!,
    // Nothing listens on port 1; one that was free a moment ago may be taken by the sites.
    APP_DOWN: '1',
    SITE_ROOT: root,
    HTPASSWD: htpasswd,
  };
  const file = path.join(FOLDER, 'fairlead.yaml');
  const plane = new ControlPlane({
    load: () => loadConfig(file, places),
    environment: {},
    version: '0.0.0-test',
    log: recordingLog([]),
  });
  cleanups.unshift(() => plane.close());
  await plane.start();
  fairlead = new Map(plane.bound.map(({ name, port }) => [name, port]));
});

after(async () => {
  for (const cleanup of cleanups) await cleanup();
  rmSync(folder, { recursive: true });
});

const PEERS = {
  nginx: {
    program: nginx,
    preamble: () => `${nginxPreamble(folder, 1)}\n  include /etc/nginx/mime.types;\n`,
    end: '}\n',
  },
  haproxy: {
    program: haproxy,
    preamble: () =>
      'global\n  maxconn 1000\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 20s\n  timeout server 20s\n',
    end: '',
  },
} as const;

for (const name of ['nginx', 'haproxy'] as const) {
  describe(`sites of ${name}`, () => {
    const sites = SITES.filter(({ peer }) => peer === name);
    const ports = new Map<string, number>();
    let running: RunningPeer | null = null;

    before(async (context) => {
      if (requirePeer(context as TestContext, name) === undefined) return;
      for (const site of sites) ports.set(site.name, await freePort());
      const { program, preamble, end } = PEERS[name];
      running = await program.start({ folder, cores: '0-1', workers: 1 }, (port) => {
        ports.set(sites[0]!.name, port);
        return `${preamble()}${sites.map((site) => configurationOf(site, ports.get(site.name)!)).join('')}${end}`;
      });
    });

    after(async () => {
      await running?.stop();
    });

    for (const site of sites) {
      test(`${site.name} answers as before`, async (context) => {
        if (requirePeer(context, name) === undefined) return;
        const sees = new Set(SEEN[site.name]);
        const found: object[] = [];
        const known: object[] = [];
        for (const played of site.requests) {
          const peer = await outcomeOf(ports.get(site.name)!, played, sees);
          const own = await outcomeOf(fairlead.get(site.name)!, played, sees);
          const shown = `${played.method ?? 'GET'} ${played.target} ${JSON.stringify(played.fields ?? {})}`;
          found.push({ request: shown, ...differencesOf(peer, own) });
          known.push({ request: shown, ...played.differs });
        }
        assert.deepEqual(found, known);
      });
    }
  });
}

function configurationOf({ name, peer }: MigratedSite, port: number): string {
  const text = readFileSync(path.join(FOLDER, 'sites', `${name}.${peer}`), 'utf8');
  return `${filledIn(text, { ...places, PORT: String(port) })}\n`;
}
