// Checks of an upstream's timeouts against each other and against the timeouts of clients. Thread: main.

import { formatDuration } from '../values/duration.ts';
import { longestQueueMs } from '../compile/compile-upstream.ts';
import { hasTcpEndpoints } from './tcp-mode.ts';
import type { UpstreamCheck } from './upstream-check.ts';

/** Browsers abort a request after five minutes without a response, most libraries much earlier. */
const CLIENT_PATIENCE_MS = 300_000;

/** Reports timeouts that never expire because another one expires first, and attempts that outlast every client. */
export function checkTimes(check: UpstreamCheck): void {
  // Sessions have no response timeout, which all of these compare with.
  if (hasTcpEndpoints(check.upstream)) return;
  checkQueue(check);
  checkConnect(check);
  checkPerTryTimeout(check);
  checkTries(check);
}

/** Checks the timeouts and retries of a route. @param check of its upstream with the settings of the route */
export function checkRouteTimes(check: UpstreamCheck): void {
  if (hasTcpEndpoints(check.upstream)) return;
  checkQueue(check);
  if (!check.isGiven(['retry', 'perTryTimeout'])) return;
  checkPerTryTimeout(check);
  checkTries(check);
}

/** `response` starts when the whole request has been sent; connecting has its own timeout before that. */
function checkConnect(check: UpstreamCheck): void {
  const { connect, response } = check.upstream.timeouts;
  if (response === 0 || connect <= response || !check.isGiven(['timeouts', 'connect'])) return;
  const message = `connect is ${formatDuration(connect)}, longer than response with ${formatDuration(response)}: an unreachable endpoint delays requests longer than an unresponsive one; connecting takes milliseconds, so shorten connect`;
  check.report('FL9020', message, ['timeouts', 'connect']);
}

function checkQueue(check: UpstreamCheck): void {
  const { queue, response } = check.upstream.timeouts;
  const longest = longestQueueMs(response);
  if (queue <= longest || !check.isGiven(['timeouts', 'queue'])) return;
  const share = `${formatDuration(longest)}, 0.4 of the response timeout`;
  const message = `requests wait at most ${share}: requests that wait longer would time out before they are answered`;
  check.report('FL9004', message, ['timeouts', 'queue']);
}

function checkPerTryTimeout(check: UpstreamCheck): void {
  const { retry, timeouts, endpoints } = check.upstream;
  const path = ['retry', 'perTryTimeout'];
  if (retry.perTryTimeout === undefined) return;
  if (retry.attempts === 0) check.reportNoEffect(path, 'attempts: 0 allows no further attempt');
  else if (!retry.on.includes('timeout')) check.reportNoEffect(path, 'retry.on has no timeout');
  else if (endpoints.length === 1) check.reportNoEffect(path, 'there is no other endpoint');
  else if (timeouts.response !== 0 && retry.perTryTimeout >= timeouts.response)
    check.reportNoEffect(path, `the response timeout of ${formatDuration(timeouts.response)} expires first`);
}

/** Every attempt but the last may use up its whole timeout. */
function checkTries(check: UpstreamCheck): void {
  const { retry, timeouts, endpoints } = check.upstream;
  const { attempts, perTryTimeout } = retry;
  if (attempts === 0 || endpoints.length === 1 || perTryTimeout === undefined || !retry.on.includes('timeout')) return;
  const wholeMs = perTryTimeout * attempts;
  const tries = `${attempts + 1} attempts of ${formatDuration(perTryTimeout)} each`;
  if (timeouts.response !== 0 && perTryTimeout < timeouts.response && wholeMs >= timeouts.response) {
    const response = formatDuration(timeouts.response);
    const message = `${tries} exceed the response timeout of ${response}, so the last one has no time left: shorten perTryTimeout or lower attempts`;
    check.report('FL9016', message, ['retry', check.givenOf(['retry'], ['perTryTimeout', 'attempts'])]);
  } else if (wholeMs >= CLIENT_PATIENCE_MS && (timeouts.response === 0 || timeouts.response > CLIENT_PATIENCE_MS)) {
    const message = `${tries} outlast every client: browsers abort a request after 5m; shorten perTryTimeout or lower attempts`;
    check.report('FL9017', message, ['retry', 'perTryTimeout']);
  }
}
