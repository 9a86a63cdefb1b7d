// Checks of an upstream's hedging, backups, waiting and sticky sessions. Thread: main.

import { balancerNamed } from '../../balancers/registry.ts';
import { formatDuration } from '../values/duration.ts';
import { quoted } from '../values/parsed.ts';
import { queueMsOf } from '../compile/compile-upstream.ts';
import type { UpstreamCheck } from './upstream-check.ts';

export function checkHedge(check: UpstreamCheck): void {
  const { hedge, retry, endpoints, discover, timeouts } = check.upstream;
  if (hedge === undefined) return;
  const { afterMs } = hedge.after;
  const after = formatDuration(afterMs);
  if (endpoints.length === 1 && discover === undefined)
    check.reportNoEffect(['hedge'], 'there is no other endpoint', 'key');
  else if (retry.attempts === 0) check.reportNoEffect(['hedge'], 'retry.attempts: 0 allows no second attempt', 'key');
  else if (retry.budget.ratio === 0 && retry.budget.min === 0)
    check.reportNoEffect(['hedge'], 'retry.budget allows no second attempt', 'key');
  else if (timeouts.response !== 0 && afterMs >= timeouts.response) {
    const response = formatDuration(timeouts.response);
    check.reportNoEffect(['hedge', 'after'], `the response timeout of ${response} expires before ${after}`);
  } else if (retry.perTryTimeout !== undefined && afterMs >= retry.perTryTimeout) {
    const perTry = formatDuration(retry.perTryTimeout);
    check.reportNoEffect(['hedge', 'after'], `retry.perTryTimeout of ${perTry} expires before ${after}`);
  }
}

export function checkBackups(check: UpstreamCheck): void {
  const { backups, endpoints, discover } = check.upstream;
  if (discover !== undefined) return;
  const backupCount = endpoints.filter(({ backup }) => backup).length;
  if (backupCount === endpoints.length) {
    const message = 'every endpoint is a backup, so there is none to back up: remove backup from the primary endpoints';
    check.report('FL9008', message, ['endpoints'], 'key');
  } else if (backups !== undefined && backupCount === 0) {
    check.reportNoEffect(['backups'], 'no endpoint of this upstream has backup: true', 'key');
  }
}

export function checkLocality(check: UpstreamCheck): void {
  const { locality, endpoints, discover } = check.upstream;
  if (locality === undefined) return;
  const { zone } = check.context.config;
  if (zone === null) return;
  if (zone === '') {
    const message = '"locality" needs the zone of this Fairlead: set the top-level key zone, for example zone: eu-1a';
    check.report('FL3008', message, ['locality'], 'key');
  } else if (discover === undefined && endpoints.every((endpoint) => endpoint.zone !== zone)) {
    check.reportNoEffect(['locality'], `no endpoint of this upstream is in zone ${zone}`, 'key');
  } else if (discover === undefined && endpoints.every((endpoint) => endpoint.zone === zone)) {
    check.reportNoEffect(['locality'], `every endpoint of this upstream is in zone ${zone}`, 'key');
  }
}

/** Queued requests wait for `rise` successful heartbeats, sent at the fast interval while no endpoint is usable. */
export function checkWhenAllDown(check: UpstreamCheck): void {
  const { whenAllDown, health, timeouts } = check.upstream;
  const { heartbeat } = health;
  if (whenAllDown !== 'wait' || !check.isGiven(['whenAllDown'])) return;
  if (heartbeat === undefined || heartbeat === false) return;
  const waitMs = queueMsOf(timeouts);
  const recoveryMs = heartbeat.rise * heartbeat.fastInterval;
  if (waitMs >= recoveryMs) return;
  const recovery = formatDuration(recoveryMs);
  const message = `requests wait at most ${formatDuration(waitMs)}, but a down endpoint needs ${recovery} to recover (rise heartbeats, one every fastInterval), so most requests time out in the queue: shorten fastInterval or lengthen timeouts.queue (at most 0.4 of timeouts.response)`;
  check.report('FL9011', message, ['whenAllDown']);
}

type StickyConfig = NonNullable<UpstreamCheck['upstream']['sticky']>;

export function checkSticky(check: UpstreamCheck): void {
  const { sticky, balance } = check.upstream;
  if (sticky === undefined) return;
  if (balancerNamed(balance.strategy).hashKey !== undefined) {
    const why = `with strategy ${balance.strategy}: both determine the endpoint of a client; keep one of them`;
    check.reportMisplaced(['sticky'], why);
  }
  checkSecrets(check, sticky);
  checkSecure(check, sticky);
  if (sticky.maxIdle <= sticky.maxLife || sticky.maxLife === 0 || !check.isGiven(['sticky', 'maxIdle'])) return;
  check.reportNoEffect(['sticky', 'maxIdle'], `maxLife of ${formatDuration(sticky.maxLife)} expires first`);
}

function checkSecrets(check: UpstreamCheck, { secret, secrets }: StickyConfig): void {
  if (secret !== undefined && secrets !== undefined) {
    check.reportMisplaced(['sticky', 'secret'], 'with secrets, whose first entry signs: keep one of the two keys');
  } else if (secret === undefined && secrets === undefined) {
    const advice =
      'generate one with openssl rand -base64 24, set it as an environment variable, and write secret: "${STICKY_SECRET}"';
    const message = `sticky sessions are lost at a restart, because a random secret is generated at each start: ${advice}`;
    check.report('FL9012', message, ['sticky']);
  }
  for (const [index, one] of (secrets ?? []).entries()) {
    if (secrets?.indexOf(one) === index) continue;
    check.report('FL9004', `secrets[${index}] has no effect: the same secret is listed before`, [
      'sticky',
      'secrets',
      index,
    ]);
  }
}

/** Browsers reject cookies with SameSite=None or a prefixed name unless they are Secure. */
function checkSecure(check: UpstreamCheck, { cookie, sameSite, secure }: StickyConfig): void {
  const isPrefixed = /^__(?:Host|Secure)-/i.test(cookie);
  if (sameSite !== 'none' && !isPrefixed) return;
  const what = isPrefixed ? `a cookie named ${quoted(cookie)}` : 'a cookie with sameSite: none';
  const path = ['sticky', isPrefixed ? 'cookie' : 'sameSite'];
  if (secure === 'never') {
    check.report('FL3008', `browsers reject ${what} and secure: never: remove secure, or write always`, path);
  } else if (
    secure === 'auto' &&
    check.context.config.listeners.every((listener) => listener !== null && listener.tls === undefined)
  ) {
    const advice = 'write secure: always if a proxy in front of Fairlead terminates TLS';
    check.report('FL9004', `browsers reject ${what} without TLS, and no listener has tls: ${advice}`, path);
  }
}
