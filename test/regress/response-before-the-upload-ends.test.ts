// A response that is complete before a large upload was destroyed by a reset where its client read late: lingering was
// bounded by 64 KiB. Thread: main.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { answer, send } from '../support/scripted-origin.ts';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';

const run = promisify(execFile);
const UPLOAD_BYTES = 12 * 1024 * 1024;
const LIMIT = 'routes: [{ upstream: app, limits: { body: 64KiB } }]';
const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large';

/** Whether a tool can be run here. */
async function isInstalled(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, [...args]).then(
    () => true,
    () => false,
  );
}

for (const path of CLIENT_PATHS) {
  describe(`a response before the end of an upload, on ${path}`, () => {
    const framings = {
      'of known length': { field: `Content-Length: ${UPLOAD_BYTES}`, chunk: '', end: '' },
      chunked: { field: 'Transfer-Encoding: chunked', chunk: '100000\r\n', end: '\r\n' },
    };
    for (const [name, { field, chunk, end }] of Object.entries(framings)) {
      for (const isOwn of [true, false]) {
        test(`${isOwn ? 'a local reply' : "the endpoint's"} reaches a client that reads late, body ${name}`, async (t) => {
          const { origin, connect } = await startPath(t, path, isOwn ? LIMIT : '');
          origin.otherwise = [send(TOO_LARGE)];
          const client = await connect(true);
          client.send(`POST / HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`);
          const piece = Buffer.concat([Buffer.from(chunk), Buffer.alloc(1024 * 1024), Buffer.from(end)]);
          for (let sent = 0; sent < UPLOAD_BYTES; sent += 1024 * 1024) {
            await new Promise<void>((resolve, reject) => {
              client.socket.write(piece, (error) => (error ? reject(error) : resolve()));
            });
          }
          client.startReading();
          const response = await client.readResponse();
          assert.equal(response.status, 413);
          // The rest of a chunked body may be short.
          if (chunk === '') assert.match(response.head, /^Connection: close\r$/m);
          assert.equal(await client.readToEnd(), '');
        });
      }
    }
  });
}

async function uploadFile(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'upload');
  writeFileSync(file, Buffer.alloc(UPLOAD_BYTES));
  return file;
}

describe('upload tools receive a 413', () => {
  for (const path of CLIENT_PATHS.filter((name) => name !== 'engine over TLS')) {
    test(`curl, with and without an expectation, on ${path}`, async (t) => {
      if (!(await isInstalled('curl', ['--version']))) return t.skip('curl is not installed');
      const { port } = await startPath(t, path, LIMIT);
      const file = await uploadFile(t);
      for (const expectation of ['Expect: 100-continue', 'Expect:']) {
        const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '-H', expectation, '-T', file];
        const { stdout } = await run('curl', [...args, `http://127.0.0.1:${port}/`]);
        assert.equal(stdout, '413');
      }
    });

    test(`Python's http.client, which reads after its whole body, on ${path}`, async (t) => {
      if (!(await isInstalled('python3', ['--version']))) return t.skip('python3 is not installed');
      const { port } = await startPath(t, path, LIMIT);
      const program = `
import http.client
connection = http.client.HTTPConnection('127.0.0.1', ${port}, timeout=20)
connection.request('POST', '/', body=bytes(${UPLOAD_BYTES}))
print(connection.getresponse().status)
`;
      for (let count = 0; count < 5; count += 1) {
        const { stdout } = await run('python3', ['-c', program]);
        assert.equal(stdout.trim(), '413');
      }
    });

    test(`fetch, on ${path}`, async (t) => {
      const { fairlead, origin } = await startPath(t, path, LIMIT);
      origin.otherwise = [send(answer())];
      const response = await fetch(fairlead.url, { method: 'POST', body: Buffer.alloc(UPLOAD_BYTES) });
      assert.equal(response.status, 413);
      await response.text();
    });
  }
});
