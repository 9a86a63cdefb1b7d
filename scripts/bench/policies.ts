// Nanoseconds for an exchange from its head to its record, without sockets: without route policies, with header edits, a
// sticky cookie, a rate limit, a signed-in user, tracing, and a plugin's hooks. What a policy costs is the difference to the first.
// Thread: main.
// Usage: node scripts/bench/policies.ts

import { setTimeout } from 'node:timers/promises';
import { bench, run } from 'mitata';
import type { AttemptEvents, ClientEvents, ClientSide } from '../../core/exchange-contract.ts';
import { definePolicy } from '../../core/policy/policy-definition.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { policyOf } from '../../plugins/plugin-parts.ts';
import { systemClock } from '../../core/clock.ts';
import { WorkerTracer } from '../../proxy/account/traces/worker-tracer.ts';
import { hashPassword } from '../../proxy/policies/passwords/password-hash.ts';
import { clientConnection } from '../../test/support/client-connection.ts';
import { ForwardingBench, responseHead } from '../../test/support/forwarding.ts';
import { requestHead } from '../../test/support/request-head.ts';
import { policySnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../test/support/snapshots.ts';
import { settingsOf } from '../../test/support/sticky.ts';

const edits = {
  requestHeaders: { set: ['X-Team', 'blue'], remove: ['x-debug'] },
  responseHeaders: { set: ['X-Served-By', 'fairlead'], remove: ['server'] },
};
const plugin = policyOf(
  definePolicy({
    name: 'plugin',
    needs: ['reply'],
    options: () => ({}),
    compile: () => ({}),
    create: () => ({ onRequest: () => undefined, onResponse: () => undefined }),
  }),
);
function withPolicy(name: string, data: unknown): Snapshot {
  return snapshot({
    routes: [routeSnapshot({ policies: [policySnapshot(name, data, { needs: ['reply', 'wait'] })] })],
  });
}

const CASES: Readonly<Record<string, Snapshot>> = {
  'no route policy': snapshot(),
  'header edits': snapshot({ routes: [routeSnapshot(edits)] }),
  'sticky cookie': snapshot({ upstreams: [upstreamSnapshot({ sticky: settingsOf({}) })] }),
  'rate limit': withPolicy('rate-limit', {
    rateLimits: [
      {
        name: 'route',
        key: { kind: 'client-ip' },
        rate: { requests: 1_000_000, windowMs: 1000, text: '1000000/s' },
        burst: 1_000_000,
        delayMs: 0,
        reportsOnly: true,
        fields: 'refused',
      },
    ],
  }),
  'a signed-in user (basicAuth)': withPolicy('basic-auth', {
    basicAuth: { users: { staff: hashPassword('correct horse') }, realm: 'staff', passesOn: false, userField: '' },
  }),
  'tracing, nothing recorded': withPolicy('tracing', { ratio: 0, parent: 'trusted' }),
  'tracing at 1 %': withPolicy('tracing', { ratio: 0.01, parent: 'trusted' }),
  'tracing at 100 %': withPolicy('tracing', { ratio: 1, parent: 'trusted' }),
  'a plugin with two hooks': snapshot({ routes: [routeSnapshot({ policies: [policySnapshot('plugin', {})] })] }),
};
const SIGN_IN = `Basic ${Buffer.from('staff:correct horse').toString('base64')}`;
const FIELDS = ['accept', '*/*', 'user-agent', 'bench', 'x-debug', '1', 'authorization', SIGN_IN];
const HEAD = requestHead({ fields: FIELDS });
const RESPONSE = responseHead(200, ['content-type', 'text/plain']);
const BODY = Buffer.from('ok');

/** A client side that discards everything and flushes at once. */
class SilentClient implements ClientSide {
  readonly connection = clientConnection();
  readonly isSilentAfterFlush = true;
  events: ClientEvents | null = null;
  sendInterim(): void {}
  sendHead(): void {}
  sendData(): boolean {
    return true;
  }
  sendEnd(): void {
    this.events?.onResponseFlushed();
  }
  sendLocalReply(): void {}
  cut(): void {}
  resumeBody(): void {}
  pauseBody(): void {}
}

const HANDLE = { protocol: 'http1' as const, sendBody: () => true, endBody() {}, resume() {}, abort() {} };

const tracer = new WorkerTracer(systemClock, () => undefined);
/** As a worker does once a second. */
const REQUESTS_PER_REPORT = 10_000;
let requests = 0;

for (const [name, configured] of Object.entries(CASES)) {
  const forwarding = new ForwardingBench(
    configured,
    new Map([[plugin.name, plugin]]),
    name.startsWith('tracing') ? tracer : null,
  );
  const client = new SilentClient();
  let events: AttemptEvents | null = null;
  forwarding.send = (_request, given) => {
    events = given;
    return HANDLE;
  };
  // The first request verifies the password.
  client.events = forwarding.forwarder.begin(client, HEAD, null, forwarding.nowMs);
  await setTimeout(500);
  bench(name, () => {
    forwarding.records.length = 0;
    if (++requests % REQUESTS_PER_REPORT === 0) tracer.report();
    client.events = forwarding.forwarder.begin(client, HEAD, null, forwarding.nowMs);
    events!.onLease(true);
    events!.onHead(RESPONSE);
    events!.onData(BODY);
    events!.onEnd(null);
  });
}

await run({ colors: false });
