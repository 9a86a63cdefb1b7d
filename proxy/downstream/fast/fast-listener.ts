// What the fast connections of one listener share while its settings stay. Thread: worker.

import type { ListenerSnapshot } from '../../../core/snapshot.ts';
import { CONNECTION_KEEP_ALIVE, type FieldLines, fieldLine, joinLines } from '../../http1/field-line.ts';
import { HeadScanner } from '../../http1/head-scanner.ts';

export class FastListener {
  readonly snapshot: ListenerSnapshot;
  readonly scanner: HeadScanner;
  /** The fields that say to a client that its connection stays, and for how long. */
  readonly keepAliveLines: FieldLines;

  constructor(snapshot: ListenerSnapshot) {
    const { headBytes, requestLineBytes, headFields } = snapshot.limits;
    this.snapshot = snapshot;
    this.scanner = new HeadScanner({ headBytes, startLineBytes: requestLineBytes, fields: headFields });
    this.keepAliveLines = keepAliveLinesFor(snapshot.timeouts.keepAliveMs);
  }
}

/** A client that knows when we close doesn't send into a closing connection (undici, node:http and others heed it). */
function keepAliveLinesFor(keepAliveMs: number): FieldLines {
  const seconds = Math.floor(keepAliveMs / 1000);
  if (seconds === 0) return CONNECTION_KEEP_ALIVE;
  return joinLines(CONNECTION_KEEP_ALIVE, fieldLine('Keep-Alive', `timeout=${seconds}`));
}
