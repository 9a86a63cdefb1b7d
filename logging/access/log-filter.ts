// Decides which exchanges the access log has lines of. Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { murmur32OfString } from '../../core/murmur.ts';
import type { LogFilter } from '../../core/snapshot/snapshot.ts';

/** Range of a 32-bit hash. */
const HASHES = 2 ** 32;
const SEED = 0;

/** Builds the filter of one worker: whether an exchange is logged. */
export function buildLogFilter({ quietRoutes, skippedPaths, samplePercent, slowMs }: LogFilter) {
  const quiet = new Set(quietRoutes);
  const highest = (samplePercent / 100) * HASHES;
  return (record: ExchangeRecord): boolean => {
    if (quiet.has(record.routeName)) return false;
    if (!isSuccess(record) || (slowMs > 0 && record.phases.totalMs >= slowMs)) return true;
    if (skippedPaths.some((path) => isBelow(record.head?.target ?? '', path))) return false;
    // By the request id, so that proxies in a chain choose the same requests.
    return samplePercent === 100 || murmur32OfString(record.requestId, SEED) < highest;
  };
}

/** Whether everything went as it should: no error of the client, of the endpoint or of Fairlead. */
function isSuccess({ status, termination, isSession }: ExchangeRecord): boolean {
  return (isSession === true || (status > 0 && status < 400)) && (termination === 'ok' || termination === 'localReply');
}

/** Whether a target is a path or below it, in whole segments. */
function isBelow(target: string, path: string): boolean {
  if (!target.startsWith(path)) return false;
  const next = target.charAt(path.length);
  return path.endsWith('/') || next === '' || next === '/' || next === '?';
}
