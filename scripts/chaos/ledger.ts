// Ledgers of the endpoints: every complete request that reached them. Thread: main.

import { readFile } from 'node:fs/promises';
import type { EndpointMode } from './endpoint-contract.ts';

export interface LedgerEntry {
  readonly endpoint: number;
  readonly method: string;
  readonly id: string;
  /** The endpoint's action; 'garbled' when body and target name different requests. */
  readonly mode: EndpointMode | 'garbled';
}

/** @param files one for each endpoint, in their order */
export async function readLedgers(files: readonly string[]): Promise<readonly LedgerEntry[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return texts.flatMap((text, endpoint) => parseLedger(text, endpoint));
}

export function parseLedger(text: string, endpoint: number): readonly LedgerEntry[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [method = '', id = '', mode = ''] = line.split(' ');
    return { endpoint, method, id, mode: mode as LedgerEntry['mode'] };
  });
}

/** Entries by request. */
export function byRequest(entries: readonly LedgerEntry[]): ReadonlyMap<string, readonly LedgerEntry[]> {
  return Map.groupBy(entries, ({ id }) => id);
}

/**
 * POSTs that endpoints began to process more than once. One refused with 503 was not processed; one whose connection was
 * reset may have been, and counts.
 */
export function doubledPosts(entries: readonly LedgerEntry[]): readonly string[] {
  const handled = entries.filter(
    ({ method, mode }) => method === 'POST' && mode !== 'unavailable' && mode !== 'broken',
  );
  return [...byRequest(handled)].filter(([, times]) => times.length > 1).map(([id]) => id);
}
