// Load of the demo: a separate process that sends requests and reports each interval. Thread: main.

import http from 'node:http';
import type { LoadReport } from './app-messages.ts';

/** Interval of requests in ms: 50 a second. */
const EVERY_MS = 20;
const REPORT_MS = 5_000;
const LIMIT_MS = 30_000;

const url = process.argv[2]!;
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
let report = emptyReport();

function emptyReport() {
  return { sent: 0, failed: 0, slowestMs: 0, byApp: {} as Record<string, number> };
}

function send(): void {
  const startMs = performance.now();
  report.sent += 1;
  const fail = (): void => void (report.failed += 1);
  http
    .get(url, { agent, timeout: LIMIT_MS }, (response) => {
      const app = String(response.headers['x-app'] ?? '-');
      response.on('error', fail).resume();
      response.on('end', () => {
        if (response.statusCode !== 200) fail();
        report.byApp[app] = (report.byApp[app] ?? 0) + 1;
        report.slowestMs = Math.max(report.slowestMs, Math.round(performance.now() - startMs));
      });
    })
    .on('timeout', function onTimeout(this: http.ClientRequest) {
      this.destroy(new Error('no response'));
    })
    .on('error', fail);
}

setInterval(send, EVERY_MS);
setInterval(() => {
  process.send?.(report satisfies LoadReport);
  report = emptyReport();
}, REPORT_MS);
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
