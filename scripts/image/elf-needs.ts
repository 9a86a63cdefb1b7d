// Libraries that a program of another architecture needs: ldd(1) runs the program's loader, which this machine can't.
// ELF of 64 bits, little-endian (System V ABI, chapters 4 and 5). Thread: main.

import { readFileSync } from 'node:fs';

export interface ElfNeeds {
  /** Path of the loader; '' in libraries. */
  readonly interpreter: string;
  /** Names of shared libraries, such as `libc.so.6`. */
  readonly libraries: readonly string[];
}

/** Offsets in the file header, and in a program header. */
const HEADER = { segmentsAt: 0x20, segmentSize: 0x36, segments: 0x38 };
const SEGMENT = { type: 0x00, fileOffset: 0x08, address: 0x10, fileSize: 0x20 };
const SEGMENT_TYPE = { load: 1, dynamic: 2, interpreter: 3 };
/** Tags of the dynamic section; an entry is a tag and a value. */
const TAG = { needed: 1, stringTable: 5 };
const ENTRY_BYTES = 16;

interface Segment {
  readonly type: number;
  readonly fileOffset: number;
  readonly address: number;
  readonly fileSize: number;
}

/** @throws Error if the file isn't ELF of 64 bits, little-endian */
export function elfNeeds(file: string): ElfNeeds {
  const bytes = readFileSync(file);
  if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') {
    throw new Error(`${file} is not a program of a 64-bit little-endian Linux`);
  }
  const segments = segmentsOf(bytes);
  const interpreter = segments.find(({ type }) => type === SEGMENT_TYPE.interpreter);
  const dynamic = segments.find(({ type }) => type === SEGMENT_TYPE.dynamic);
  return {
    interpreter: interpreter === undefined ? '' : textAt(bytes, interpreter.fileOffset),
    libraries: dynamic === undefined ? [] : librariesIn(bytes, segments, dynamic),
  };
}

function segmentsOf(bytes: Buffer): Segment[] {
  const first = word(bytes, HEADER.segmentsAt);
  const size = bytes.readUInt16LE(HEADER.segmentSize);
  return Array.from({ length: bytes.readUInt16LE(HEADER.segments) }, (_, index) => {
    const at = first + index * size;
    return {
      type: bytes.readUInt32LE(at + SEGMENT.type),
      fileOffset: word(bytes, at + SEGMENT.fileOffset),
      address: word(bytes, at + SEGMENT.address),
      fileSize: word(bytes, at + SEGMENT.fileSize),
    };
  });
}

function librariesIn(bytes: Buffer, segments: readonly Segment[], dynamic: Segment): string[] {
  const names: number[] = [];
  let tableAddress = 0;
  for (let at = dynamic.fileOffset; at < dynamic.fileOffset + dynamic.fileSize; at += ENTRY_BYTES) {
    const [tag, value] = [word(bytes, at), word(bytes, at + 8)];
    if (tag === TAG.needed) names.push(value);
    else if (tag === TAG.stringTable) tableAddress = value;
  }
  const table = segments.find(
    ({ type, address, fileSize }) =>
      type === SEGMENT_TYPE.load && tableAddress >= address && tableAddress < address + fileSize,
  );
  if (table === undefined) return [];
  const tableOffset = tableAddress - table.address + table.fileOffset;
  return names.map((name) => textAt(bytes, tableOffset + name));
}

function word(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}
