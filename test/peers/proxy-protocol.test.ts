// The PROXY protocol with HAProxy on either side: it sends headers to Fairlead's listeners, and reads those that Fairlead sends
// to endpoints. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import { Program } from '../../scripts/peers/program.ts';
import { testCertificate } from '../support/certificates.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { requirePeer } from '../support/peers.ts';
import { RawClient } from '../support/raw-client.ts';

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-haproxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { cert, key } = testCertificate(['a.test']);
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  writeFileSync(join(folder, 'both.pem'), cert + key, { mode: 0o600 });
  return folder;
}

const DEFAULTS = `
defaults
  timeout connect 5s
  timeout client 30s
  timeout server 30s
`;

async function startHaproxy(t: TestContext, folder: string, config: string, port: number): Promise<void> {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, DEFAULTS + config);
  const haproxy = await Program.start({ folder, cores: '0,1', command: 'haproxy', args: ['-db', '-f', file], port });
  t.after(() => haproxy.stop());
}

/** Options of the servers by which HAProxy sends to Fairlead. */
const SENT = [
  { name: 'v1', options: 'send-proxy', bind: '', target: 'web' },
  { name: 'v2', options: 'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority', bind: '', target: 'web' },
  { name: 'tls', options: 'send-proxy-v2-ssl-cn', bind: 'ssl', target: 'web' },
  { name: 'passed', options: 'send-proxy-v2', bind: '', target: 'secure' },
] as const;

test('HAProxy sends headers to listeners', async (t) => {
  if (requirePeer(t, 'haproxy') === undefined) return;
  const folder = temporaryFolder(t);
  const pem = `{ cert: ${join(folder, 'cert.pem')}, key: ${join(folder, 'key.pem')} }`;
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners:
  - { name: web, bind: "127.0.0.1:0", http2: true, proxyProtocol: { trusted: [127.0.0.1] } }
  - { name: secure, bind: "127.0.0.1:0", tls: { certificates: [${pem}] }, proxyProtocol: { trusted: [127.0.0.1] } }
routes: [{ respond: { status: 200, body: "{clientAddress}:{clientPort} {scheme}" } }]
upstreams: {}
`,
  );
  const portOf = (name: string): number => fairlead.plane.bound.find((bound) => bound.name === name)!.port;
  const ports = new Map<string, number>();
  for (const { name } of SENT) ports.set(name, await freePort());
  const sections = SENT.map(
    ({ name, options, bind, target }) => `
frontend ${name}
  mode tcp
  unique-id-format %{+X}o%ci:%cp
  bind 127.0.0.1:${ports.get(name)!} ${bind === 'ssl' ? `ssl crt ${join(folder, 'both.pem')} alpn h2,http/1.1` : ''}
  default_backend to-${name}
backend to-${name}
  mode tcp
  option tcp-check
  server s 127.0.0.1:${portOf(target)} ${options} check inter 200ms check-send-proxy
`,
  );
  await startHaproxy(t, folder, sections.join(''), ports.get('v1')!);
  for (const { name, bind, target } of SENT) {
    const isTls = bind === 'ssl' || target === 'secure';
    const seen = async (): Promise<string> => {
      const port = ports.get(name)!;
      const client = await RawClient.connect({
        port,
        ...(isTls ? { tls: { servername: 'a.test', ALPNProtocols: ['http/1.1'] } } : {}),
      });
      client.send('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
      const { body } = await client.readResponse();
      assert.equal(body, `127.0.0.1:${client.socket.localPort} ${isTls ? 'https' : 'http'}`, name);
      return body;
    };
    await seen();
    await seen();
  }
  const session = connectHttp2(`https://127.0.0.1:${ports.get('tls')!}`, { rejectUnauthorized: false });
  let body = '';
  for await (const chunk of session.request({ ':path': '/' }).setEncoding('utf8')) body += chunk;
  assert.equal(body, `127.0.0.1:${session.socket.localPort} https`);
  session.destroy();
  const refused = fairlead.log.filter(({ text }) => text.includes('PROXY'));
  assert.deepEqual(refused, [], 'no header of HAProxy is refused, those of its checks neither');
});

/** Upstreams whose endpoint is HAProxy: name, settings, and the scheme of the endpoint's URL. */
const RECEIVED = [
  ['v1', 'proxyProtocol: v1', 'http'],
  ['v2', 'proxyProtocol: { tlvs: [authority, uniqueId, tls, checksum, alpn] }', 'http'],
  ['tls', 'proxyProtocol: v2, tls: { verify: false }', 'https'],
  ['h2', 'proxyProtocol: v2, tls: { verify: false }, protocol: http2', 'https'],
  ['h2c', 'proxyProtocol: v2, protocol: http2', 'http'],
] as const;

const SEEN = '%[src]:%[src_port] %[dst_port] %[fc_pp_authority] %[req.ver] %[fc_pp_unique_id]';

/** @returns ports without and with TLS */
async function startReadingHaproxy(t: TestContext, folder: string): Promise<{ http: number; https: number }> {
  const [http, https] = [await freePort(), await freePort()];
  const config = `
frontend f
  mode http
  bind 127.0.0.1:${http} accept-proxy
  bind 127.0.0.1:${https} accept-proxy ssl crt ${join(folder, 'both.pem')} alpn h2,http/1.1
  http-request return status 200 content-type text/plain lf-string "${SEEN}" if { path_beg / }
`;
  await startHaproxy(t, folder, config, http);
  return { http, https };
}

function sendingConfig(folder: string, ports: { http: number; https: number }): string {
  const pem = `{ cert: ${join(folder, 'cert.pem')}, key: ${join(folder, 'key.pem')} }`;
  const upstreams = RECEIVED.map(([name, settings, scheme]) => {
    const url = `${scheme}://127.0.0.1:${ports[scheme]}`;
    return `  ${name}: { endpoints: ["${url}"], ${settings}, health: { heartbeat: { path: /check } } }`;
  });
  return `
workers: 1
admin: { bind: "127.0.0.1:0" }
listeners: [{ name: secure, bind: "127.0.0.1:0", tls: { certificates: [${pem}] } }]
routes: [${RECEIVED.map(([name]) => `{ match: { path: /${name} }, upstream: ${name} }`).join(', ')}]
upstreams:
${upstreams.join('\n')}
`;
}

test('HAProxy reads the headers that Fairlead sends', async (t) => {
  if (requirePeer(t, 'haproxy') === undefined) return;
  const folder = temporaryFolder(t);
  const fairlead = await startFairlead(t, sendingConfig(folder, await startReadingHaproxy(t, folder)));
  for (const [name] of [...RECEIVED, ...RECEIVED]) {
    const client = await RawClient.connect({ port: fairlead.port, tls: { servername: 'a.test' } });
    client.send(`GET /${name} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const { status, body } = await client.readResponse();
    const [source, port, authority, version, uniqueId = ''] = body.split(' ');
    assert.deepEqual(
      [status, source, port],
      [200, `127.0.0.1:${client.socket.localPort}`, String(fairlead.port)],
      name,
    );
    if (name === 'v1') assert.notEqual(authority, 'a.test');
    else assert.equal(authority, 'a.test', name);
    if (name === 'h2' || name === 'h2c') assert.match(version!, /^2/);
    if (name !== 'v1') assert.match(uniqueId, /^[\w-]{16,}$/);
    client.destroy();
  }
  const isUp = async (): Promise<boolean> => {
    const reply = await fetch(`${fairlead.adminUrl}/metrics`);
    const states = [...(await reply.text()).matchAll(/^fairlead_endpoint_up\{[^}]*\} (\d)/gm)].map(([, up]) => up);
    return states.length === RECEIVED.length && states.every((up) => up === '1');
  };
  await eventually(isUp, 'the heartbeats pass');
});
