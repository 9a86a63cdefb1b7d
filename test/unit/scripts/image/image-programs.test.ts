// The files of Node in an image of another architecture: ELF headers read as readelf does, libraries of libraries, and the
// places where the loader looks. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { elfNeeds } from '../../../../scripts/image/elf-needs.ts';
import { withLibraries } from '../../../../scripts/image/image-programs.ts';

/** An ELF file with these strings: program headers, the string table, then the dynamic section. */
function elfOf(libraries: readonly string[], interpreter: string): Buffer {
  const [header, segment, base] = [64, 56, 0x40_0000];
  const strings = Buffer.from(`\0${[interpreter, ...libraries].join('\0')}\0`);
  const stringsAt = header + 3 * segment;
  const dynamicAt = stringsAt + strings.length;
  const entries = [...libraries.map((name) => [1, strings.indexOf(`\0${name}\0`) + 1]), [5, base + stringsAt], [0, 0]];
  const bytes = Buffer.alloc(dynamicAt + entries.length * 16);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeBigUInt64LE(BigInt(header), 0x20);
  bytes.writeUInt16LE(segment, 0x36);
  bytes.writeUInt16LE(3, 0x38);
  const segments = [
    [1, 0, base, bytes.length],
    [3, stringsAt + 1, base + stringsAt + 1, interpreter.length],
    [2, dynamicAt, base + dynamicAt, entries.length * 16],
  ];
  for (const [index, [type, offset, address, size]] of (segments as [number, number, number, number][]).entries()) {
    const at = header + index * segment;
    bytes.writeUInt32LE(type, at);
    bytes.writeBigUInt64LE(BigInt(offset), at + 0x08);
    bytes.writeBigUInt64LE(BigInt(address), at + 0x10);
    bytes.writeBigUInt64LE(BigInt(size), at + 0x20);
  }
  strings.copy(bytes, stringsAt);
  for (const [index, [tag, value]] of entries.entries()) {
    bytes.writeBigUInt64LE(BigInt(tag!), dynamicAt + index * 16);
    bytes.writeBigUInt64LE(BigInt(value!), dynamicAt + index * 16 + 8);
  }
  return bytes;
}

function folderWith(t: TestContext, files: Readonly<Record<string, Buffer>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-elf-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
  return folder;
}

const LOADER = '/lib/ld-linux-aarch64.so.1';

describe('the files of a program', () => {
  test('are it, its loader, and all libraries that they need, each once', (t) => {
    const folder = folderWith(t, {
      node: elfOf(['libstdc++.so.6', 'libc.so.6', 'ld-linux-aarch64.so.1'], LOADER),
      'libstdc++.so.6': elfOf(['libm.so.6', 'libc.so.6'], ''),
      'libm.so.6': elfOf(['libc.so.6'], ''),
      'libc.so.6': elfOf(['ld-linux-aarch64.so.1'], ''),
      'ld-linux-aarch64.so.1': elfOf([], ''),
    });
    const places = withLibraries(path.join(folder, 'node'), folder, 'aarch64-linux-gnu').map(({ to }) => to);
    const libraries = ['libc.so.6', 'libm.so.6', 'libstdc++.so.6'].map((name) => `lib/aarch64-linux-gnu/${name}`);
    assert.deepEqual(places.toSorted(), [...libraries, 'lib/ld-linux-aarch64.so.1', 'usr/local/bin/node'].toSorted());
  });

  test('are refused if a library is missing, or if the program is none', (t) => {
    const folder = folderWith(t, { node: elfOf(['libc.so.6'], LOADER), text: Buffer.from('#!/bin/sh\n') });
    const filesOf = (name: string) => withLibraries(path.join(folder, name), folder, 'aarch64-linux-gnu');
    assert.throws(() => filesOf('node'), /node needs libc\.so\.6, which is not in/);
    assert.throws(() => filesOf('text'), /is not a program of a 64-bit little-endian Linux/);
  });
});

test('needs of a real program are those that readelf lists', (t) => {
  const listed = spawnSync('readelf', ['--dynamic', '--program-headers', '--wide', process.execPath], {
    encoding: 'utf8',
  });
  if (process.platform !== 'linux' || listed.error !== undefined) return t.skip('readelf is not installed');
  const libraries = [...listed.stdout.matchAll(/Shared library: \[(.+)\]/g)].map(([, name]) => name);
  const interpreter = /program interpreter: (.+)\]/.exec(listed.stdout)![1];
  assert.deepEqual(elfNeeds(process.execPath), { interpreter, libraries });
  return undefined;
});
