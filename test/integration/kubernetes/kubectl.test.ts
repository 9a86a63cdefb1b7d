// kubectl as an independent client of the API server for tests: it shows that the server is faithful. Thread: main.

import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { testCertificate } from '../../support/certificates.ts';
import { eventually } from '../../support/fairlead.ts';
import { kubeconfigFor, startKubernetes } from '../../support/kubernetes-api.ts';
import { patientMs } from '../../support/patience.ts';

const isMissing = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status !== 0;
const run = promisify(execFile);

test('kubectl creates, reads, watches, changes and deletes objects', {
  skip: isMissing && 'kubectl is missing',
}, async (t) => {
  const { cert, key } = testCertificate(['kubernetes.test']);
  const api = await startKubernetes(t, { tokens: new Set(['secret']), tls: { cert, key } });
  const home = mkdtempSync(path.join(tmpdir(), 'fairlead-kubectl-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const config = path.join(home, 'config');
  const authority = Buffer.from(cert).toString('base64');
  writeFileSync(config, kubeconfigFor(api.url, { token: 'secret' }, { 'certificate-authority-data': authority }));
  const environment = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: config };
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const options = { env: environment, timeout: patientMs(30_000) };
    return (await run('kubectl', args, options)).stdout;
  };
  const manifest = (name: string, object: object): string => {
    const file = path.join(home, `${name}.json`);
    writeFileSync(file, JSON.stringify(object));
    return file;
  };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api' }, spec: { ports: [{ port: 80 }] } };
  assert.match(await kubectl('create', '--validate=false', '-f', manifest('a', service)), /service\/api created/);
  assert.equal(await kubectl('get', 'svc', 'api', '-o', 'jsonpath={.spec.ports[0].port}'), '80');

  const watching = spawn('kubectl', ['get', 'services', '--watch-only', '-o', 'name'], { env: environment });
  t.after(() => watching.kill());
  let seen = '';
  watching.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  await eventually(() => api.watches === 1, 'kubectl watches');
  await kubectl('patch', 'service', 'api', '--type=merge', '-p', '{"spec":{"ports":[{"port":81}]}}');
  await eventually(() => seen === 'service/api\n', 'kubectl receives the change');
  assert.equal(api.read('services', 'shop', 'api').metadata.generation, 2);

  await kubectl('delete', 'service', 'api', '--wait=false');
  await assert.rejects(kubectl('get', 'service', 'api'), /NotFound/);
});
