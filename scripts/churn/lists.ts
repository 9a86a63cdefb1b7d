// Thread of a churn run that rewrites lists of endpoints: each change replaces one endpoint of one upstream. Its file calls
// and encoding of JSON must not count as CPU time of main. Thread: worker.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

export interface ListsStart {
  readonly folder: string;
  readonly upstreams: number;
  /** Of each upstream. */
  readonly endpoints: number;
  /** Changes of endpoints a second, over all upstreams. */
  readonly perSecond: number;
}

/** Changes while `isChanging`. Each message is answered with the number of changes so far. */
export interface ListsMessage {
  readonly isChanging: boolean;
}

const TICK_MS = 20;

/** The file that has the endpoints of an upstream. */
export function listPath(folder: string, index: number): string {
  return path.join(folder, `${index}`, 'list.json');
}

class Lists {
  readonly #start: ListsStart;
  readonly #first: number[];
  #count = 0;

  constructor(start: ListsStart) {
    this.#start = start;
    this.#first = Array.from({ length: start.upstreams }, () => 0);
    for (let index = 0; index < start.upstreams; index++) {
      mkdirSync(path.join(start.folder, `${index}`));
      this.#write(index);
    }
  }

  get count(): number {
    return this.#count;
  }

  change(): void {
    const index = this.#count++ % this.#first.length;
    this.#first[index]!++;
    this.#write(index);
  }

  #write(index: number): void {
    const first = this.#first[index]!;
    const urls = Array.from({ length: this.#start.endpoints }, (_, at) => {
      const number = (first + at) % 65_536;
      return `http://10.${index & 255}.${number >> 8}.${number & 255}:${3000 + (index >> 8)}`;
    });
    const file = listPath(this.#start.folder, index);
    writeFileSync(`${file}.next`, JSON.stringify(urls));
    renameSync(`${file}.next`, file);
  }
}

if (parentPort !== null) serve(workerData as ListsStart);

function serve(start: ListsStart): void {
  const lists = new Lists(start);
  let timer: NodeJS.Timeout | undefined;
  parentPort!.on('message', ({ isChanging }: ListsMessage) => {
    clearInterval(timer);
    if (isChanging) {
      const [beganMs, before] = [performance.now(), lists.count];
      timer = setInterval(() => {
        const due = before + ((performance.now() - beganMs) / 1000) * start.perSecond;
        while (lists.count < due) lists.change();
      }, TICK_MS);
    }
    parentPort!.postMessage(lists.count);
  });
  parentPort!.postMessage(0);
}
