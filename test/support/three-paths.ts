// A complete Fairlead in front of one scripted origin, on each path: the HTTP/1.1 engine, node:http, and the engine over
// TLS. Thread: main.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { testCertificate } from './certificates.ts';
import type { RunningFairlead } from './fairlead.ts';
import { RawClient } from './raw-client.ts';
import { ScriptedOrigin } from './scripted-origin.ts';
import { shareFairlead } from './shared-fairlead.ts';

export type ClientPath = 'engine' | 'node:http' | 'engine over TLS';
export const CLIENT_PATHS: readonly ClientPath[] = ['engine', 'node:http', 'engine over TLS'];

export interface PathBench {
  readonly origin: ScriptedOrigin;
  readonly fairlead: RunningFairlead;
  readonly port: number;
  readonly isTls: boolean;
  /** A raw client, destroyed after the test. */
  readonly connect: (isHeld?: boolean) => Promise<RawClient>;
}

/**
 * A new origin behind the Fairlead of this path, which the tests of a process share.
 * @param more YAML lines at the top level
 * @param listener more keys of the listener, as a flow mapping's inside
 */
export async function startPath(t: TestContext, path: ClientPath, more = '', listener = ''): Promise<PathBench> {
  const origin = await ScriptedOrigin.listen({ allowHalfOpen: true });
  t.after(() => origin.close());
  const isTls = path === 'engine over TLS';
  const keys = `${isTls ? `, tls: ${tlsKeys(t)}` : ''}${listener === '' ? '' : `, ${listener}`}`;
  const fairlead = await shareFairlead(
    path,
    `
workers: 1
fastPath: ${path !== 'node:http'}
listeners: [{ name: web, bind: "127.0.0.1:0"${keys} }]
${more.includes('routes:') ? '' : 'routes: [{ upstream: app }]'}
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${origin.port}"]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
    retry: { attempts: 0 }
${more}
`,
  );
  const { port } = fairlead;
  const connect = async (isHeld = false): Promise<RawClient> => {
    const client = await RawClient.connect({
      port,
      isHeld,
      ...(isTls ? { tls: { ALPNProtocols: ['http/1.1'] } } : {}),
    });
    t.after(() => client.destroy());
    return client;
  };
  return { origin, fairlead, port, isTls, connect };
}

function tlsKeys(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { cert, key } = testCertificate(['a.test']);
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  return `{ certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }`;
}
