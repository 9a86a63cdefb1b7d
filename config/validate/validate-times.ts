// Checks of an upstream's timeouts against each other and against the patience of clients. Thread: main.

import { formatDuration } from '../values/duration.ts';
import { longestQueueMs } from '../compile/compile-upstream.ts';
import type { UpstreamCheck } from './upstream-check.ts';

/** Browsers give a request up after five minutes without an answer, most libraries much earlier. */
const CLIENT_PATIENCE_MS = 300_000;

/** Reports times that never run out because another one does first, and tries that come too late for anybody. */
export function checkTimes(check: UpstreamCheck): void {
  checkQueue(check);
  checkConnect(check);
  checkPerTryTimeout(check);
  checkTries(check);
}

/** `response` begins when a whole request is with an endpoint: connecting has its own time, before it. */
function checkConnect(check: UpstreamCheck): void {
  const { connect, response } = check.upstream.timeouts;
  if (response === 0 || connect <= response || !check.isGiven(['timeouts', 'connect'])) return;
  const message = `connecting may take ${formatDuration(connect)} and the whole answer only ${formatDuration(response)}: an endpoint that cannot be reached holds requests longer than one that does not answer; connections are made in milliseconds, so shorten connect`;
  check.report('FL9020', message, ['timeouts', 'connect']);
}

function checkQueue(check: UpstreamCheck): void {
  const { queue, response } = check.upstream.timeouts;
  const longest = longestQueueMs(response);
  if (queue <= longest || !check.isGiven(['timeouts', 'queue'])) return;
  const share = `${formatDuration(longest)}, which is 0.4 of the response timeout`;
  const message = `requests wait at most ${share}: a longer queue holds only requests that are given up before they are answered`;
  check.report('FL9004', message, ['timeouts', 'queue']);
}

function checkPerTryTimeout(check: UpstreamCheck): void {
  const { retry, timeouts, endpoints } = check.upstream;
  const path = ['retry', 'perTryTimeout'];
  if (retry.perTryTimeout === undefined) return;
  if (retry.attempts === 0) check.reportNoEffect(path, 'with attempts: 0 no other try may follow');
  else if (!retry.on.includes('timeout')) check.reportNoEffect(path, 'retry.on has no timeout');
  else if (endpoints.length === 1) check.reportNoEffect(path, 'there is no other endpoint to try');
  else if (timeouts.response !== 0 && retry.perTryTimeout >= timeouts.response)
    check.reportNoEffect(path, `the response timeout of ${formatDuration(timeouts.response)} comes first`);
}

/** Every try but the last may take the whole of its time. */
function checkTries(check: UpstreamCheck): void {
  const { retry, timeouts, endpoints } = check.upstream;
  const { attempts, perTryTimeout } = retry;
  if (attempts === 0 || endpoints.length === 1 || perTryTimeout === undefined || !retry.on.includes('timeout')) return;
  const wholeMs = perTryTimeout * attempts;
  const tries = `${attempts + 1} tries of ${formatDuration(perTryTimeout)} each`;
  if (timeouts.response !== 0 && perTryTimeout < timeouts.response && wholeMs >= timeouts.response) {
    const response = formatDuration(timeouts.response);
    const message = `${tries} do not fit into the response timeout of ${response}: the last one has no time left; shorten perTryTimeout or lower attempts`;
    check.report('FL9016', message, ['retry', check.givenOf(['retry'], ['perTryTimeout', 'attempts'])]);
  } else if (wholeMs >= CLIENT_PATIENCE_MS && (timeouts.response === 0 || timeouts.response > CLIENT_PATIENCE_MS)) {
    const message = `${tries} outlast every client: browsers give a request up after 5m, so nobody waits for the last one; shorten perTryTimeout or lower attempts`;
    check.report('FL9017', message, ['retry', 'perTryTimeout']);
  }
}
