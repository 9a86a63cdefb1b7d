// Preloaded into the process of each test file, so that the runner can say why it hangs: writes its process id, a report
// of its handles when the runner asks (SIGUSR2), and at its exit those still open and its CPU time. Plain JavaScript: it
// loads before anything else. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = new URL(import.meta.url).searchParams.get('folder');

/** Every process has pipes to its runner; a worker thread and a forked process run this file too. */
const EXPECTED = new Set(['PipeWrap', 'TTYWrap']);

if (folder !== null && isMainThread && isFirst()) {
  Object.assign(process.report, { directory: folder, filename: 'report.json', signal: 'SIGUSR2', excludeNetwork: true });
  process.report.reportOnSignal = true;
  process.on('exit', () => {
    writeFileSync(path.join(folder, 'cpu'), String(cpuMs()));
    if (process.getActiveResourcesInfo().every((kind) => EXPECTED.has(kind))) return;
    writeFileSync(path.join(folder, 'exit.json'), JSON.stringify(process.report.getReport()));
  });
}

/** CPU time of this process and of the children that have exited. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + childrenCpuMs();
}

/** From proc_pid_stat(5): cutime and cstime, in hundredths of a second. Zero on a system other than Linux. */
function childrenCpuMs() {
  try {
    const afterName = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1).split(' ');
    return (Number(afterName[13]) + Number(afterName[14])) * 10;
  } catch {
    return 0;
  }
}

function isFirst() {
  try {
    writeFileSync(path.join(folder, 'pid'), String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}
