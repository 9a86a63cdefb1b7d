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

test('HAProxy reads the headers that Fairlead sends', async (t) => {
  if (requirePeer(t, 'haproxy') === undefined) return;
  const folder = temporaryFolder(t);
  const [plain, secure] = [await freePort(), await freePort()];
  await startHaproxy(
    t,
    folder,
    `
frontend f
  mode http
  bind 127.0.0.1:${plain} accept-proxy
  bind 127.0.0.1:${secure} accept-proxy ssl crt ${join(folder, 'both.pem')} alpn h2,http/1.1
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst_port] %[fc_pp_authority] %[req.ver] %[fc_pp_unique_id]" if { path_beg / }
`,
    plain,
  );
  const upstreams = [
    ['v1', `"http://127.0.0.1:${plain}"`, 'proxyProtocol: v1', ''],
    ['v2', `"http://127.0.0.1:${plain}"`, 'proxyProtocol: { tlvs: [authority, uniqueId, tls, checksum, alpn] }', ''],
    ['tls', `"https://127.0.0.1:${secure}"`, 'proxyProtocol: v2', 'tls: { verify: false }'],
    ['h2', `"https://127.0.0.1:${secure}"`, 'proxyProtocol: v2', 'tls: { verify: false }, protocol: http2'],
    ['h2c', `"http://127.0.0.1:${plain}"`, 'proxyProtocol: v2', 'protocol: http2'],
  ] as const;
  const pem = `{ cert: ${join(folder, 'cert.pem')}, key: ${join(folder, 'key.pem')} }`;
  const fairlead = await startFairlead(
    t,
    `
workers: 1
admin: { bind: "127.0.0.1:0" }
listeners: [{ name: secure, bind: "127.0.0.1:0", tls: { certificates: [${pem}] } }]
routes: [${upstreams.map(([name]) => `{ match: { path: /${name} }, upstream: ${name} }`).join(', ')}]
upstreams:
${upstreams
  .map(
    ([name, url, proxyProtocol, more]) =>
      `  ${name}: { endpoints: [${url}], ${proxyProtocol}, health: { heartbeat: { path: /check } }${more === '' ? '' : `, ${more}`} }`,
  )
  .join('\n')}
`,
  );
  for (const [name] of upstreams) {
    for (let round = 0; round < 2; round += 1) {
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
  }
  const isUp = async (): Promise<boolean> => {
    const reply = await fetch(`${fairlead.adminUrl}/metrics`);
    const states = [...(await reply.text()).matchAll(/^fairlead_endpoint_up\{[^}]*\} (\d)/gm)].map(([, up]) => up);
    return states.length === upstreams.length && states.every((up) => up === '1');
  };
  await eventually(isUp, 'the heartbeats pass');
});
