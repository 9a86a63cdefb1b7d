// Counts of gRPC calls of one worker, sent to main once a second while there are any. Thread: worker.

import { addGrpcCounts, GRPC_STATUSES, type GrpcMethodCounts, OTHER_METHODS } from '../../core/grpc-calls.ts';
import { GrpcStatus } from '../../core/grpc-status.ts';

/** Names of methods are short; a longer path is an attempt to fill the memory. */
const MAX_NAME = 200;
const METHOD = /^\/([\w.]+\/\w+)$/;

export class GrpcCalls {
  readonly #report: (counts: readonly GrpcMethodCounts[]) => void;
  #table = new Map<string, Map<string, GrpcMethodCounts>>();
  readonly #known = new Map<string, string>();

  constructor(report: (counts: readonly GrpcMethodCounts[]) => void) {
    this.#report = report;
  }

  /**
   * Counts a call that has ended.
   * @param path of the request @param status of gRPC @param isOwn whether Fairlead has answered, and no endpoint
   */
  ended(
    upstream: string,
    path: string,
    status: number,
    isOwn: boolean,
    messages: { readonly request: number; readonly response: number },
  ): void {
    const code = status in GRPC_STATUSES ? status : GrpcStatus.UNKNOWN;
    // A method has a name once an endpoint has served it: clients can't create series by calling what doesn't exist.
    const isServed = !isOwn && code !== GrpcStatus.UNIMPLEMENTED;
    const method = this.#nameOf(upstream, path, isServed);
    const calls = GRPC_STATUSES.map((_, index) => (index === code ? 1 : 0));
    const { request, response } = messages;
    addGrpcCounts(this.#table, { upstream, method, calls, requestMessages: request, responseMessages: response });
  }

  /** Sends what was counted since the last report. */
  report(): void {
    if (this.#table.size === 0) return;
    const table = this.#table;
    this.#table = new Map();
    this.#report([...table.values()].flatMap((methods) => [...methods.values()]));
  }

  #nameOf(upstream: string, path: string, isServed: boolean): string {
    const key = `${upstream} ${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = path.length > MAX_NAME ? undefined : METHOD.exec(path)?.[1];
    if (name === undefined || !isServed || this.#known.size >= MAX_KNOWN) return OTHER_METHODS;
    this.#known.set(key, name);
    return name;
  }
}

/** Names that a worker remembers, of all upstreams. */
const MAX_KNOWN = 2000;
