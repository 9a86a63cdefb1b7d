// The built-in access log formats, as functions of a record. Thread: main.

import { buildLogFormat } from '../../logging/access/log-formats.ts';

export const FORMATS = {
  json: buildLogFormat({ format: 'json', settings: {} }),
  haproxy: buildLogFormat({ format: 'haproxy', settings: {} }),
  combined: buildLogFormat({ format: 'combined', settings: {} }),
};
