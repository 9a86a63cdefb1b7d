// Checks of upstreams beyond their shape: endpoints, heartbeats, and values that contradict each other. Thread: main.

import { readCertificates } from './certificate.ts';
import { formatDuration } from './duration.ts';
import { endpointId } from './endpoint-address.ts';
import { quoted } from './parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath, ProblemCode } from './problem.ts';
import type { HeartbeatConfig } from './schema-health.ts';
import type { UpstreamConfig } from './schema-upstreams.ts';
import { readFile } from './validate-listeners.ts';

/** A queue that holds more than this share of the response timeout keeps an overload alive (ALGORITHMS 4.3). */
export const QUEUE_SHARE = 0.4;

export function checkUpstreams(context: CheckContext): void {
  for (const [name, upstream] of context.config.upstreams) {
    if (upstream === null) continue;
    const checked = new UpstreamCheck(upstream, ['upstreams', name], context);
    checked.checkEndpoints();
    checked.checkHeartbeat();
    checked.checkTimes();
    checked.checkBalance();
    checked.checkTls();
  }
}

class UpstreamCheck {
  readonly #upstream: UpstreamConfig;
  readonly #path: KeyPath;
  readonly #context: CheckContext;

  constructor(upstream: UpstreamConfig, path: KeyPath, context: CheckContext) {
    this.#upstream = upstream;
    this.#path = path;
    this.#context = context;
  }

  checkEndpoints(): void {
    const { endpoints } = this.#upstream;
    const seen = new Map<string, number>();
    for (const [index, { url }] of endpoints.entries()) {
      const id = endpointId(url);
      const first = seen.get(id);
      if (first === undefined) {
        seen.set(id, index);
        continue;
      }
      const advice = 'an address stands once in an upstream; give it a weight for a larger share';
      this.#report('FL3005', `${id} is endpoints[${first}] already: ${advice}`, ['endpoints', index]);
    }
    if (endpoints.some(({ backup }) => !backup)) return;
    this.#report(
      'FL9008',
      'every endpoint is a backup, so that none is: leave backup out of some',
      ['endpoints'],
      'key',
    );
  }

  checkHeartbeat(): void {
    const { heartbeat } = this.#upstream.health;
    if (heartbeat === undefined) {
      const advice = 'add health: { heartbeat: { path: /healthz } }, or heartbeat: false to say that it is meant';
      const message = `only failing requests tell that an endpoint of this upstream is down: ${advice}`;
      this.#report('FL9003', message, [], 'key');
    } else if (heartbeat !== false) {
      this.#checkHeartbeatKind(heartbeat);
      this.#checkHeartbeatTimes(heartbeat);
    }
  }

  #checkHeartbeatKind(heartbeat: HeartbeatConfig): void {
    const path = ['health', 'heartbeat'];
    for (const key of heartbeat.type === 'tcp' ? ['path', 'method', 'host', 'expect'] : []) {
      if (!this.#isGiven([...path, key])) continue;
      this.#report('FL3007', `${quoted(key)} has no place beside type: tcp: it only connects`, [...path, key], 'key');
    }
    if (heartbeat.port !== undefined && this.#upstream.endpoints.some(({ url }) => url.socketPath !== '')) {
      const message = '"port" has no place here: an endpoint of this upstream is a Unix socket';
      this.#report('FL3007', message, [...path, 'port'], 'key');
    }
  }

  /** Defaults follow a short interval; what is written must not contradict it. */
  #checkHeartbeatTimes(heartbeat: HeartbeatConfig): void {
    for (const key of ['timeout', 'fastInterval'] as const) {
      const path = ['health', 'heartbeat', key];
      if (heartbeat[key] <= heartbeat.interval || !this.#isGiven(path)) continue;
      const interval = formatDuration(heartbeat.interval);
      const message = `${quoted(key)} is ${formatDuration(heartbeat[key])}, longer than the interval of ${interval}: it is at most the interval`;
      this.#report('FL3008', message, path);
    }
  }

  checkTimes(): void {
    const { health, retry, timeouts } = this.#upstream;
    const { base, max } = health.passive.ejection;
    if (base > max) {
      const message = `the first ejection, ${formatDuration(base)}, is longer than the longest, ${formatDuration(max)}: base is at most max`;
      this.#report('FL3008', message, [
        'health',
        'passive',
        'ejection',
        this.#givenOf(['health', 'passive', 'ejection'], ['base', 'max']),
      ]);
    }
    const longest = timeouts.response * QUEUE_SHARE;
    if (timeouts.response !== 0 && timeouts.queue > longest && this.#isGiven(['timeouts', 'queue'])) {
      const share = `${formatDuration(Math.floor(longest))}, which is 0.4 of the response timeout`;
      const message = `requests wait at most ${share}: a longer queue holds only requests that are given up before they are answered`;
      this.#report('FL9004', message, ['timeouts', 'queue']);
    }
    this.#checkPerTryTimeout(retry.perTryTimeout, retry.attempts, timeouts.response);
  }

  #checkPerTryTimeout(perTry: number | undefined, attempts: number, response: number): void {
    if (perTry === undefined) return;
    const path = ['retry', 'perTryTimeout'];
    if (attempts === 0)
      this.#report('FL9004', 'perTryTimeout has no effect: with attempts: 0 no other try may follow', path);
    else if (response !== 0 && perTry >= response) {
      const message = `perTryTimeout has no effect: the response timeout of ${formatDuration(response)} comes first`;
      this.#report('FL9004', message, path);
    }
  }

  checkBalance(): void {
    const { balance, endpoints } = this.#upstream;
    if (balance.strategy !== 'consistent-hash' || balance.tableSize === undefined) return;
    if (balance.tableSize >= endpoints.length) return;
    const message = `a table of ${balance.tableSize} places has no room for ${endpoints.length} endpoints: take a prime above 100 times as many`;
    this.#report('FL3008', message, ['balance', 'tableSize']);
  }

  checkTls(): void {
    const { tls, endpoints } = this.#upstream;
    for (const [index, name] of (tls.ca ?? []).entries()) {
      const isList = Array.isArray(this.#context.tree.valueAt([...this.#path, 'tls', 'ca']));
      const path = ['tls', 'ca', ...(isList ? [index] : [])];
      const text = readFile(name, [...this.#path, ...path], this.#context);
      if (text === null || readCertificates(text) !== null) continue;
      this.#report('FL4002', `${name} holds no certificate: a PEM file with BEGIN CERTIFICATE is needed`, path);
    }
    if (!endpoints.some(({ url }) => url.protocol === 'https')) {
      if (this.#isGiven(['tls']))
        this.#report('FL9004', 'tls has no effect: no endpoint of this upstream has an https URL', ['tls'], 'key');
    } else if (!tls.verify) {
      const message =
        'anyone between Fairlead and the endpoints can read and change requests: prefer tls.ca to verify: false';
      this.#report('FL9005', message, ['tls', 'verify']);
    }
  }

  #isGiven(path: KeyPath): boolean {
    return this.#context.tree.valueAt([...this.#path, ...path]) !== undefined;
  }

  /** The first key that is written in the file, for pointing at. */
  #givenOf(path: KeyPath, keys: readonly [string, ...string[]]): string {
    return keys.find((key) => this.#isGiven([...path, key])) ?? keys[0];
  }

  #report(code: ProblemCode, message: string, path: KeyPath, part: 'key' | 'value' = 'value'): void {
    this.#context.report({ code, message, path: [...this.#path, ...path], part });
  }
}
