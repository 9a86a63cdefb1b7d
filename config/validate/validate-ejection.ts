// Checks of an upstream's outlier detection: ejections that can't happen, or that leave too few endpoints. Thread: main.

import { formatDuration } from '../values/duration.ts';
import type { UpstreamCheck } from './upstream-check.ts';

const PATH = ['health', 'passive'];
/** Value of `maxEjectedPercent` from which a single remaining endpoint is reported. */
const ALMOST_ALL_PERCENT = 75;

export function checkEjectionTimes(check: UpstreamCheck): void {
  const path = [...PATH, 'ejection'];
  const { base, max } = check.upstream.health.passive.ejection;
  if (base <= max) return;
  const message = `ejection base ${formatDuration(base)} exceeds max ${formatDuration(max)}: base must be at most max`;
  check.report('FL3008', message, [...path, check.givenOf(path, ['base', 'max'])]);
}

/** Without heartbeats and outlier detection, a dead endpoint keeps receiving requests. */
export function checkNothingWatches(check: UpstreamCheck): void {
  const { heartbeat, passive } = check.upstream.health;
  if (heartbeat !== undefined && heartbeat !== false) return;
  const isJudged = passive.maxEjectedPercent > 0 && (passive.consecutiveFailures > 0 || passive.outliers !== false);
  if (isJudged) return;
  const message =
    'a dead endpoint is never detected: there is no heartbeat, and passive ejects no endpoint; add health: { heartbeat: { path: /healthz } }';
  check.report('FL9018', message, PATH, 'key');
}

/** Reports settings without effect: the last usable endpoint is never ejected. */
export function checkMostEjected(check: UpstreamCheck): void {
  const { endpoints, health } = check.upstream;
  const { maxEjectedPercent, consecutiveFailures, outliers } = health.passive;
  const isOff = consecutiveFailures === 0 && outliers === false;
  const given = ['consecutiveFailures', 'outliers', 'ejection', 'maxEjectedPercent'].filter(
    (key) => check.isGiven([...PATH, key]) && check.valueAt([...PATH, key]) !== false,
  );
  if (endpoints.length === 1) {
    for (const key of given) {
      if (check.valueAt([...PATH, key]) === 0) continue;
      check.reportNoEffect([...PATH, key], 'the last endpoint is never ejected, and there is no other', 'key');
    }
  } else if (maxEjectedPercent === 0) {
    for (const key of given) {
      if (key === 'maxEjectedPercent' || check.valueAt([...PATH, key]) === 0) continue;
      check.reportNoEffect([...PATH, key], 'maxEjectedPercent: 0 ejects no endpoint', 'key');
    }
  } else if (isOff) {
    for (const key of given) {
      if (key === 'ejection' || key === 'maxEjectedPercent')
        check.reportNoEffect([...PATH, key], 'consecutiveFailures: 0 and outliers: false eject no endpoint', 'key');
    }
  } else checkLeavesOne(check, maxEjectedPercent);
}

function checkLeavesOne(check: UpstreamCheck, percent: number): void {
  const path = [...PATH, 'maxEjectedPercent'];
  if (check.upstream.discover !== undefined) return;
  const members = check.upstream.endpoints.length;
  const isAllButOne = Math.ceil((members * percent) / 100) >= members - 1;
  if (members < 3 || percent < ALMOST_ALL_PERCENT || !isAllButOne || !check.isGiven(path)) return;
  const message = `with ${percent}, all but one of ${members} endpoints may be ejected, and the last one receives every request: 50 keeps half of them`;
  check.report('FL9019', message, path);
}
