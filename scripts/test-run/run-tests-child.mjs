// Preloaded into the process of each test file, so that the runner can say why it hangs: writes its process id, a report
// of its handles when the runner asks (SIGUSR2), and those still open when it exits. Plain JavaScript: it loads before
// anything else. Thread: main.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = new URL(import.meta.url).searchParams.get('folder');

/** Every process has pipes to its runner; a worker thread and a forked process run this file too. */
const EXPECTED = new Set(['PipeWrap', 'TTYWrap']);

if (folder !== null && isMainThread && isFirst()) {
  Object.assign(process.report, { directory: folder, filename: 'report.json', signal: 'SIGUSR2', excludeNetwork: true });
  process.report.reportOnSignal = true;
  process.on('exit', () => {
    if (process.getActiveResourcesInfo().every((kind) => EXPECTED.has(kind))) return;
    writeFileSync(path.join(folder, 'exit.json'), JSON.stringify(process.report.getReport()));
  });
}

function isFirst() {
  try {
    writeFileSync(path.join(folder, 'pid'), String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
