// A copy of what picks read and write, to try out what would happen. Thread: both.

import { Region } from './region.ts';

/**
 * A region of its own with the records of endpoints and upstreams as they are now, for one worker whose row is empty.
 * Words are copied one by one while workers go on: no record is more torn than a pick would find it.
 */
export function copyRecords(region: Region): Region {
  const copy = Region.allocate({ ...region.capacity, workers: 1 }, region.originWallMs);
  copy.words.set(region.words.subarray(region.endpointBase, region.workerBase), copy.endpointBase);
  return copy;
}
