// A worker thread that counts into its lane as a worker does, then ends on request. Thread: worker.

import { workerData } from 'node:worker_threads';
import { Region } from '../../../../core/memory/region.ts';
import { accountExchange, countAttempt, countHead } from '../../../../proxy/account/account.ts';
import { clearLevels, WorkerLanes } from '../../../../proxy/account/lane.ts';
import { LISTENER_FIELD } from '../../../../core/memory/lane-fields.ts';
import { recordOf } from '../../../unit/logging/access/sample-record.ts';

export interface CountingStart {
  readonly worker: number;
  readonly region: SharedArrayBuffer;
  readonly exchanges: number;
}

const { worker, region: buffer, exchanges } = workerData as CountingStart;
const region = new Region(buffer);
clearLevels(region, worker);
const lanes = new WorkerLanes(region, worker);
lanes.listener(0).add(LISTENER_FIELD.connectionsOpen, 1);
const record = recordOf();
for (let i = 0; i < exchanges; i++) {
  countAttempt(lanes.endpoint(0), false);
  countHead(lanes.endpoint(0), 200, 3);
  accountExchange(record, lanes);
}
throw new Error('ended on request');
