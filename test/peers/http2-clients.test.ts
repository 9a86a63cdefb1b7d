// HTTP/2 clients that operators meet: each speaks HTTP/2 to a listener with TLS, or in cleartext, and gets whole responses. The
// table in docs/http2.md has their commands. Thread: main.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/peers/free-port.ts';
import { startChromium } from '../../scripts/named-programs/clients.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { patientMs } from '../support/patience.ts';
import { type Peer, requirePeer } from '../support/peers.ts';
import { echo, webSocketOver } from '../support/ws-library.ts';

const run = promisify(execFile);
const TIMEOUT_MS = patientMs(60_000);
const BODY = '<!doctype html><title>served</title><p>a page over HTTP/2</p>';

/** Runs in the page: a text, a message of two frames' size, and an orderly end. */
const CONVERSATION = `new Promise((resolve, reject) => {
  const socket = new WebSocket('wss://' + location.host + '/chat');
  const seen = [];
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => socket.send('hello');
  socket.onerror = () => reject(new Error('no WebSocket'));
  socket.onmessage = ({ data }) => {
    seen.push(typeof data === 'string' ? data + ' of ' + data.length : data.byteLength + ' bytes');
    if (seen.length === 1) socket.send(new Uint8Array(65536));
    else socket.close(1000);
  };
  socket.onclose = ({ code }) => resolve(seen.join(', ') + ', closed with ' + code);
})`;

describe('clients', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-clients-'));
  const app = http.createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, { 'content-type': 'text/html' }).end(BODY));
  });
  const sockets = http2.createServer({ settings: { enableConnectProtocol: true } });
  sockets.on('stream', (stream: http2.ServerHttp2Stream) => {
    stream.respond({ ':status': 200 });
    echo(webSocketOver(stream, 'server'));
  });
  const ends: (() => unknown)[] = [];
  let fairlead: RunningFairlead;

  before(async () => {
    const { cert, key } = testCertificate(['localhost']);
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    sockets.listen(0, '127.0.0.1');
    await once(sockets, 'listening');
    const certificate = `{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }`;
    const lifetime = { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext;
    fairlead = await startFairlead(
      lifetime,
      `listeners:
  - { name: plain, bind: 127.0.0.1:0, http2: true }
  - { name: secure, bind: 127.0.0.1:0, tls: { certificates: [${certificate}] } }
routes: [{ match: { protocol: websocket }, upstream: sockets }, { upstream: app }]
upstreams:
  app: { endpoints: [http://127.0.0.1:${(app.address() as AddressInfo).port}], health: { heartbeat: false } }
  sockets: { endpoints: [http://127.0.0.1:${(sockets.address() as AddressInfo).port}], protocol: http2, health: { heartbeat: false } }
accessLog: { output: '${folder}/access.log', format: { name: text, fields: [path, protocol, listener, status, bytesSent] } }
`,
    );
  });

  after(async () => {
    app.closeAllConnections();
    app.close();
    sockets.close();
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  const plain = (path: string): string => `http://127.0.0.1:${fairlead.plane.bound[0]!.port}${path}`;
  const secure = (path: string): string => `https://localhost:${fairlead.plane.bound[1]!.port}${path}`;

  /** Waits until so many requests for a path were served whole over HTTP/2. */
  async function served(path: string, listener: string, count = 1): Promise<void> {
    const line = `path=${path} protocol=http2 listener=${listener} status=200 bytesSent=${BODY.length}`;
    const lines = (): string[] => readFileSync(`${folder}/access.log`, 'utf8').split('\n');
    await eventually(() => lines().filter((one) => one === line).length >= count, `${count} x ${line}`);
  }

  const cases: readonly (readonly [peer: Peer, listener: 'plain' | 'secure', path: string, args: readonly string[]])[] =
    [
      ['curl', 'secure', '/curl', ['--silent', '--insecure', '--http2']],
      ['curl', 'plain', '/curl-plain', ['--silent', '--http2-prior-knowledge']],
      ['nghttp', 'secure', '/nghttp', ['--no-verify-peer']],
      ['nghttp', 'plain', '/nghttp-plain', []],
      ['h2load', 'secure', '/h2load', ['-n', '100', '-c', '2', '-m', '10']],
      ['h2load', 'plain', '/h2load-plain', ['-n', '100', '-c', '2', '-m', '10']],
    ];
  for (const [peer, listener, path, args] of cases) {
    test(`${peer} to a ${listener} listener`, async (t) => {
      const program = requirePeer(t, peer);
      if (program === undefined) return;
      const url = listener === 'plain' ? plain(path) : secure(path);
      const { stdout } = await run(program, [...args, url], { timeout: TIMEOUT_MS });
      if (peer === 'h2load') assert.match(stdout, /100 succeeded, 0 failed/);
      else assert.ok(stdout.includes(BODY), stdout);
      await served(path, listener, peer === 'h2load' ? 100 : 1);
    });
  }

  test('Chromium to a secure listener', async (t) => {
    const chromium = requirePeer(t, 'chromium');
    if (chromium === undefined) return;
    const args = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--ignore-certificate-errors',
      `--user-data-dir=${folder}/profile`,
    ];
    const { stdout } = await run(chromium, [...args, '--dump-dom', secure('/chromium')], { timeout: TIMEOUT_MS });
    assert.match(stdout, /a page over HTTP\/2/);
    await served('/chromium', 'secure');
  });

  test('Chromium opens a WebSocket on its HTTP/2 connection, to an HTTP/2 endpoint', async (t) => {
    const executablePath = requirePeer(t, 'chromium');
    if (executablePath === undefined) return;
    const browser = await startChromium(executablePath);
    t.after(() => browser.close());
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    const { port } = fairlead.plane.bound[1]!;
    await page.goto(`https://127.0.0.1:${port}/websocket-page`, { timeout: TIMEOUT_MS });
    assert.equal(await page.evaluate(CONVERSATION), 'hello of 5, 65536 bytes, closed with 1000');
    const line = /^path=\/chat protocol=http2 listener=secure status=101 /m;
    await eventually(() => line.test(readFileSync(`${folder}/access.log`, 'utf8')), 'the tunnel in the access log');
  });

  test('HAProxy as a client of HTTP/2, by ALPN and with prior knowledge', async (t) => {
    const haproxy = requirePeer(t, 'haproxy');
    if (haproxy === undefined) return;
    const port = await freePort();
    const [first, second] = fairlead.plane.bound;
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${port}
  use_backend secure if { path_beg /secure }
  default_backend plain
backend secure
  server a 127.0.0.1:${second!.port} ssl verify none alpn h2 sni str(localhost)
backend plain
  server a 127.0.0.1:${first!.port} proto h2
`,
    );
    const child = spawn(haproxy, ['-db', '-f', config], { stdio: 'ignore' });
    try {
      for (const [path, listener] of [
        ['/secure/haproxy', 'secure'],
        ['/haproxy', 'plain'],
      ] as const) {
        const page = async () => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
        await eventually(
          () =>
            page().then(
              (text) => text === BODY,
              () => false,
            ),
          `${path} by HAProxy`,
        );
        await served(path, listener);
      }
    } finally {
      child.kill('SIGKILL');
    }
  });
});
