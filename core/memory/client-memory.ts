// Shared memory about clients: how fast each sends requests, and how many requests and connections of it are open. One
// buffer for the life of the process, of bounded size; its pages take no memory until they are used. Thread: both.

import { KeyedHash } from '../keyed-hash.ts';
import { ClientCounts, COUNT_WORDS } from './client-counts.ts';
import { RATE_WORDS, RateTable } from './rate-table.ts';

const MAGIC = 0x636c_6e74; // "clnt"

/** Words of the header; 32-bit. */
export const CLIENT_HEADER = {
  magic: { index: 0, type: 'i32', unit: 'constant', writer: 'main', means: 'identifies the buffer' },
  workerCapacity: { index: 1, type: 'i32', unit: 'workers', writer: 'main', means: 'rows of counts' },
  key0: { index: 2, type: 'i32', unit: 'random', writer: 'main', means: 'key of the hash of clients' },
  key1: { index: 3, type: 'i32', unit: 'random', writer: 'main', means: 'key of the hash of clients' },
  evictions: { index: 4, type: 'i32', unit: 'keys', writer: 'workers', means: 'forgotten before they were idle' },
} as const;
const HEADER_WORDS = 16;

export class ClientMemory {
  readonly buffer: SharedArrayBuffer;
  readonly hash: KeyedHash;
  readonly rates: RateTable;
  readonly #words: Int32Array;

  /** Wraps an existing buffer. @throws Error for another one */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
    const words = this.#words;
    if (words[CLIENT_HEADER.magic.index] !== MAGIC) throw new Error('this buffer holds no memory of clients');
    this.hash = new KeyedHash(words[CLIENT_HEADER.key0.index]!, words[CLIENT_HEADER.key1.index]!);
    this.rates = new RateTable(words, HEADER_WORDS, CLIENT_HEADER.evictions.index);
  }

  /** @param key two random words */
  static allocate(workers: number, key: readonly [number, number]): ClientMemory {
    const buffer = new SharedArrayBuffer((HEADER_WORDS + RATE_WORDS + workers * COUNT_WORDS) * 4);
    const words = new Int32Array(buffer);
    words[CLIENT_HEADER.magic.index] = MAGIC;
    words[CLIENT_HEADER.workerCapacity.index] = workers;
    words[CLIENT_HEADER.key0.index] = key[0];
    words[CLIENT_HEADER.key1.index] = key[1];
    return new ClientMemory(buffer);
  }

  /** Keys of rates that were forgotten before they were idle, because their part of the table was full. */
  get evictions(): number {
    return this.#words[CLIENT_HEADER.evictions.index]! >>> 0;
  }

  /** Counts of open requests and connections, of which `worker` writes its own. */
  countsOf(worker: number): ClientCounts {
    const rows = this.#words[CLIENT_HEADER.workerCapacity.index]!;
    return new ClientCounts(this.#words, HEADER_WORDS + RATE_WORDS, rows, worker);
  }
}
