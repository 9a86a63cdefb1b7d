// Splits a stream of JSON values, one on each line, wherever its chunks are cut. Thread: main.

import { StringDecoder } from 'node:string_decoder';

/** An object of the API has at most 1.5 MiB in the API server's store; one event has one object. */
const LONGEST_LINE = 8 * 1024 * 1024;

export class JsonLines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The values that are complete now. @throws Error for a line that is no JSON, or too long */
  push(chunk: Buffer): unknown[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > LONGEST_LINE) throw new Error('the API server sends an event of more than 8 MiB');
    return lines.filter((line) => line.trim() !== '').map(parsed);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error('the API server sends an event that is not JSON', { cause: error });
  }
}
