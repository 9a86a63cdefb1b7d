// Copy of the records that picks read and write, for dry runs. Thread: both.

import { Region } from './region.ts';

/**
 * A separate region with the current endpoint and upstream records, for one worker whose row is empty. Words are copied
 * one by one while workers run: a record is at most as torn as a pick would see it.
 */
export function copyRecords(region: Region): Region {
  const copy = Region.allocate({ ...region.capacity, workers: 1 }, region.originWallMs);
  copy.words.set(region.words.subarray(region.endpointBase, region.workerBase), copy.endpointBase);
  return copy;
}
