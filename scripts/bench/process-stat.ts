// CPU time and memory of a process and its descendants, from /proc. Linux only. Thread: main.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Fields of proc_pid_stat(5) for one process. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads in clock ticks, without children that ended. */
  readonly ticks: number;
}

/** Fields after the command's closing parenthesis, counted from 0: proc_pid_stat(5) numbers 4, 14 and 15. */
const PARENT_FIELD = 1;
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

let ticksPerSecond = 0;

/** Parses /proc/PID/stat. The command in parentheses may contain spaces and parentheses. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD]);
  const stat = { pid: Number.parseInt(line, 10), parent: Number(fields[PARENT_FIELD]), ticks };
  if (!Object.values(stat).every(Number.isSafeInteger)) throw new Error(`not a line of /proc/PID/stat: ${line}`);
  return stat;
}

/** The process and all its descendants; empty when it has ended. */
export function treeOf(stats: readonly ProcessStat[], root: number): readonly ProcessStat[] {
  const tree = stats.filter((stat) => stat.pid === root);
  for (let grown = 0; grown < tree.length; grown++) {
    tree.push(...stats.filter((stat) => stat.parent === tree[grown]!.pid));
  }
  return tree;
}

/** CPU time used so far by a process and its descendants, in microseconds. @throws Error when it has ended */
export function cpuUsOf(root: number): number {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const ticks = livingTree(root).reduce((sum, stat) => sum + stat.ticks, 0);
  return (ticks * 1e6) / ticksPerSecond;
}

/** Resident memory of a process and its descendants in bytes; shared pages count for each. */
export function residentBytesOf(root: number): number {
  return livingTree(root).reduce((sum, { pid }) => sum + parseResident(readFileSync(`/proc/${pid}/status`, 'utf8')), 0);
}

/** VmRSS of a /proc/PID/status, in bytes. */
export function parseResident(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error('no VmRSS in /proc/PID/status');
  return Number(kib) * 1024;
}

function livingTree(root: number): readonly ProcessStat[] {
  const stats: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      stats.push(parseStat(readFileSync(`/proc/${name}/stat`, 'utf8')));
    } catch {
      // The process ended after the folder was read. If it is the root of the tree, the check below reports it.
    }
  }
  const tree = treeOf(stats, root);
  if (tree.length === 0) throw new Error(`process ${root} is gone`);
  return tree;
}
