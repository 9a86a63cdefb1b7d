// The table of access-log formats. To add one: write its file, add its line. Thread: worker.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { AccessLogFormat } from '../../core/snapshot/snapshot.ts';
import { formatCombined } from './format-combined.ts';
import { formatHaproxy } from './format-haproxy.ts';
import { formatJson } from './format-json.ts';

/** Writes an ended exchange as one line of printable ASCII and a line feed. Pure, apart from caches. */
export type LogFormat = (record: ExchangeRecord) => string;

export const LOG_FORMATS: Readonly<Record<AccessLogFormat, LogFormat>> = {
  json: formatJson,
  haproxy: formatHaproxy,
  combined: formatCombined,
};
