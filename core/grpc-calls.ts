// Counts of gRPC calls by method, as workers send them to main. Thread: both.

/** Statuses of gRPC by their number (grpc/doc/statuscodes.md). */
export const GRPC_STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Methods of one upstream that are counted by name: more would let clients of a misconfigured endpoint create series. */
export const MAX_METHODS = 200;
/** Label of all methods that aren't counted by name. */
export const OTHER_METHODS = 'other';

/** Counts of one method. */
export interface GrpcMethodCounts {
  readonly upstream: string;
  /** `package.Service/Method`, or OTHER_METHODS. */
  readonly method: string;
  /** Calls by status: an index of GRPC_STATUSES. */
  readonly calls: number[];
  requestMessages: number;
  responseMessages: number;
}

/** Adds the counts of a method to a table by upstream and method. Beyond MAX_METHODS they are added to OTHER_METHODS. */
export function addGrpcCounts(table: Map<string, Map<string, GrpcMethodCounts>>, added: GrpcMethodCounts): void {
  const { upstream } = added;
  let methods = table.get(upstream);
  if (methods === undefined) table.set(upstream, (methods = new Map()));
  const isKnown = methods.has(added.method) || methods.size < MAX_METHODS;
  const method = isKnown ? added.method : OTHER_METHODS;
  let counts = methods.get(method);
  if (counts === undefined) {
    counts = { upstream, method, calls: GRPC_STATUSES.map(() => 0), requestMessages: 0, responseMessages: 0 };
    methods.set(method, counts);
  }
  for (const [status, calls] of added.calls.entries()) counts.calls[status]! += calls;
  counts.requestMessages += added.requestMessages;
  counts.responseMessages += added.responseMessages;
}
