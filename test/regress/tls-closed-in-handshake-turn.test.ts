// Node 26.10 ends with a segmentation fault where, in the turn of the loop in which a TLS handshake ends, the TCP socket
// is closed and its TLS socket is destroyed. A connection is therefore served in a turn of its own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { compileCidrs } from '../../core/cidr.ts';
import { systemClock } from '../../core/clock.ts';
import { Region } from '../../core/memory/region.ts';
import { systemRandom } from '../../core/random.ts';
import { systemTimers } from '../../core/timers.ts';
import { ConnectionFacts } from '../../proxy/downstream/accept/connection-facts.ts';
import { ConnectionLedger } from '../../proxy/downstream/accept/connection-ledger.ts';
import { OnDemandCertificates } from '../../proxy/downstream/accept/on-demand-certificates.ts';
import { Sweeper } from '../../proxy/downstream/accept/sweeper.ts';
import { TicketKeyring } from '../../proxy/downstream/accept/ticket-keyring.ts';
import { TlsAcceptor } from '../../proxy/downstream/accept/tls-acceptor.ts';
import { ScriptedStarter } from '../contract/proxy/downstream/scripted-starter.ts';
import { testCertificate } from '../support/certificates.ts';
import { listenerSnapshot } from '../support/snapshots.ts';
import { SILENT_LOG } from '../support/loggers.ts';

const CLIENTS = 50;

test('a TLS connection that is reset as soon as it may be served ends, and the process lives', async () => {
  const certificates = [testCertificate(['first.test'])];
  const snapshot = listenerSnapshot({ tls: { certificates, minVersion: 'TLSv1.2', http2: true } });
  const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
  const context = {
    starter: new ScriptedStarter(),
    clock: systemClock,
    random: systemRandom,
    log: SILENT_LOG,
    sweeper: new Sweeper(systemClock, systemTimers),
    ledger: new ConnectionLedger(region, 0),
    onDemand: new OnDemandCertificates({ clock: systemClock, timers: systemTimers, request: () => undefined }),
    tickets: new TicketKeyring(),
    isDraining: () => false,
    mayBeIdleUntilMs: (sinceMs: number) => sinceMs,
  };
  let served = 0;
  const acceptor = new TlsAcceptor(context, snapshot, (client) => {
    served += 1;
    client.reset();
  });
  const listener = { snapshot, port: 0 };
  const server = createServer({ allowHalfOpen: true }, (raw) => {
    raw.on('error', () => undefined);
    acceptor.accept(raw, new ConnectionFacts(raw, listener, compileCidrs([])));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: CLIENTS }, () =>
    connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
  );
  const ended = clients.map(
    (client) => new Promise<void>((resolve) => client.on('error', () => undefined).on('close', () => resolve())),
  );
  await Promise.all(ended);
  assert.equal(served, CLIENTS);
  server.close();
  await once(server, 'close');
});
