// Reading /proc: processor time, trees of processes, memory. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResident, parseStat, treeOf } from '../../../../scripts/bench/process-stat.ts';

const LINE =
  '17028 (nginx) S 17027 17028 17002 0 -1 4194560 1021 0 3 0 250 731 0 0 20 0 1 0 493122 11087872 1533 18446744073709551615';

test('user and system time are added up', () => {
  assert.deepEqual(parseStat(LINE), { pid: 17028, parent: 17027, ticks: 981 });
});

test('a command may contain spaces and parentheses', () => {
  const line = LINE.replace('(nginx)', '(a) S 1 (b) 9 c)');
  assert.deepEqual(parseStat(line), { pid: 17028, parent: 17027, ticks: 981 });
});

test('a line of another form is refused', () => {
  assert.throws(() => parseStat('17028 (nginx) S 17027'), /not a line of/);
  assert.throws(() => parseStat(''), /not a line of/);
});

test('a tree is the process and its descendants of every depth, in any order of the list', () => {
  const of = (pid: number, parent: number) => ({ pid, parent, ticks: 0 });
  const stats = [of(30, 20), of(1, 0), of(20, 10), of(10, 1), of(11, 1), of(21, 10), of(12, 11)];
  assert.deepEqual(
    treeOf(stats, 10).map((stat) => stat.pid),
    [10, 20, 21, 30],
  );
  assert.deepEqual(treeOf(stats, 99), []);
});

test('resident memory is given in bytes', () => {
  assert.equal(parseResident('Name:\tnode\nVmHWM:\t  999 kB\nVmRSS:\t  204800 kB\nThreads:\t11\n'), 204_800 * 1024);
  assert.throws(() => parseResident('Name:\tkthreadd\n'), /no VmRSS/);
});
