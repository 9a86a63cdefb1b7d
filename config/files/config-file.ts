// Reads a configuration file within bounds, and describes why one can't be used. Thread: main.

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { reasonOf } from './referenced-files.ts';

/** Size limit of a file: 10,000 endpoints written as mappings have about half a megabyte. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/** A file that is longer than its size, such as those of /proc, is read in pieces of this length. */
const GROWTH_BYTES = 65_536;

/** Reason for which a file can't be used; continues a sentence that begins with the file. */
export interface FileFault {
  readonly code: 'FL1001' | 'FL1002' | 'FL1003';
  readonly reason: string;
}

/** A text, and the permission bits of its file as in chmod(1). */
export interface ConfigText {
  readonly text: string;
  readonly mode: number;
}

/** Reads a file up to the size limit. Never throws. */
export function readConfigFile(file: string): ConfigText | FileFault {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK opening a named pipe would block until a writer appears.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { code: 'FL1001', reason: kindOf(status) };
    const text = decoded(readUpTo(descriptor, status.size, LARGEST_BYTES + 1));
    return typeof text === 'string' ? { text, mode: status.mode & 0o777 } : text;
  } catch (error) {
    return { code: 'FL1001', reason: reasonOf(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'is a directory';
  const kind = status.isFIFO() ? 'a pipe' : status.isSocket() ? 'a socket' : 'a device';
  return `is ${kind}: a regular file is required, because it is read again at every reload`;
}

/** @param sizeBytes of the file, as far as its system knows it; it may grow meanwhile */
function readUpTo(descriptor: number, sizeBytes: number, mostBytes: number): Buffer {
  // One byte more, so that a read at the end of the file needs no larger buffer.
  let bytes = Buffer.alloc(Math.min(sizeBytes + 1, mostBytes));
  let total = 0;
  while (total < mostBytes) {
    if (total === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length + GROWTH_BYTES, mostBytes));
    const count = readSync(descriptor, bytes, total, bytes.length - total, null);
    if (count === 0) break;
    total += count;
  }
  return bytes.subarray(0, total);
}

function decoded(bytes: Buffer): string | FileFault {
  if (bytes.length > LARGEST_BYTES) return { code: 'FL1002', reason: 'is larger than 4 MiB, the size limit' };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const found = isWide ? ' but UTF-16' : ' (it may be Latin-1)';
    return { code: 'FL1003', reason: `is not UTF-8 text${found}: save it as UTF-8` };
  }
}
