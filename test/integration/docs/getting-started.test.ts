// Runs every step of docs/getting-started.md in one shell, on free ports, with `fairlead` from this checkout on the path.
// The installation itself is that of test/integration/package/tarball.test.ts. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { ENTRY } from '../../support/fairlead-process.ts';
import { patientMs } from '../../support/patience.ts';

const PAGE = readFileSync(new URL('../../../docs/getting-started.md', import.meta.url), 'utf8');
const PORTS = ['3001', '3002', '8080', '9900'];
const LIMIT_MS = patientMs(90_000);

/** The shell blocks after the installation, and the heading that each is under. */
const STEPS = PAGE.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text]) => ({
    heading: section.slice(0, section.indexOf('\n')),
    text: text!,
  })),
);

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => String((server.address() as { port: number }).port));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Runs a script in bash with `fairlead` on the path, and kills what it has started. */
function runShell(t: TestContext, folder: string, script: string, variables: NodeJS.ProcessEnv) {
  const bin = path.join(folder, 'bin');
  const file = path.join(folder, 'steps.sh');
  writeFileSync(
    file,
    `mkdir ${bin}
printf '#!/bin/sh\\nexec ${process.execPath} ${ENTRY} "$@"\\n' > ${bin}/fairlead
ln -s ${process.execPath} ${bin}/node
chmod +x ${bin}/fairlead
export PATH="${bin}:$PATH"
set -euo pipefail
${script}`,
  );
  const child = spawn('bash', [file], { cwd: folder, env: { ...process.env, ...variables }, detached: true });
  const killAll = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // The group has ended.
    }
  };
  const limit = setTimeout(killAll, LIMIT_MS);
  t.after(() => {
    clearTimeout(limit);
    killAll();
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  return new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output, errors }));
  });
}

test('every step of the page works, and prints what the page says', async (t) => {
  assert.ok(STEPS.length >= 8, `${STEPS.length} steps`);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-start-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ports = await freePorts(PORTS.length);
  const onFreePorts = (text: string): string =>
    PORTS.reduce((changed, port, at) => changed.replaceAll(port, ports[at]!), text);
  const [first, second, , admin] = ports;
  // The file that init writes has the port of the admin API.
  const settled = `sed -i 's/9900/${admin}/' fairlead.yaml\n`;
  const script = STEPS.map(({ heading, text }) => {
    const changed = onFreePorts(text).replace(/^fairlead check/m, `${settled}fairlead check`);
    return `echo "## ${heading}"\n${changed}`;
  }).join('\n');
  const { code, output, errors } = await runShell(t, folder, script, {
    FAIRLEAD_ADMIN: `127.0.0.1:${admin}`,
    NO_COLOR: '1',
  });
  assert.equal(code, 0, `${output}\n${errors}`);
  const under = (heading: string): string => {
    const parts = output.split(`## ${heading}\n`).slice(1);
    return parts.map((part) => part.split('\n## ')[0]!).join('\n');
  };
  assert.match(under('Install'), /^\d+\.\d+\.\d+/);
  assert.match(under('The first requests'), /fairlead\.yaml: ok/);
  assert.match(under('The first requests'), /app \(least-request\) +2\/2 up/);
  const dead = under('A server dies');
  assert.equal(dead.match(new RegExp(`^hello from ${second}$`, 'gm'))?.length, 6, dead);
  assert.match(dead, new RegExp(`${first} +down .*refused`));
  assert.match(dead, /app \(least-request\) +2\/2 up/);
  assert.match(under('A server goes on purpose'), new RegExp(`has nothing in flight\nhello from ${first}`));
  assert.match(under('The configuration changes'), /weight/);
});
