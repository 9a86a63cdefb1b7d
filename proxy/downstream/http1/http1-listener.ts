// State that the engine's connections of one listener share while its settings stay the same. Thread: worker.

import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { CONNECTION_KEEP_ALIVE, type FieldLines, fieldLine, joinLines } from '../../http1/field-line.ts';
import { HeadScanner } from '../../http1/head-scanner.ts';
import { trustedOnlyFor } from '../trusted-only-fields.ts';
import { RequestScan } from './request-scan.ts';

/** Scans kept for new connections: some 2 KiB each, in six objects and as many pieces of memory. */
const MAX_SPARE_SCANS = 64;

export class Http1Listener {
  readonly snapshot: ListenerSnapshot;
  readonly scanner: HeadScanner;
  /** Fields of a response after which the connection stays open. */
  readonly keepAliveLines: FieldLines;
  readonly #spareScans: RequestScan[] = [];

  constructor(snapshot: ListenerSnapshot) {
    const { headBytes, requestLineBytes, headFields } = snapshot.limits;
    this.snapshot = snapshot;
    this.scanner = new HeadScanner({ headBytes, startLineBytes: requestLineBytes, fields: headFields });
    this.keepAliveLines = keepAliveLinesFor(snapshot.timeouts.keepAliveMs);
  }

  takeScan(client: Pick<ClientConnection, 'isTrusted'>): RequestScan {
    const scan = this.#spareScans.pop() ?? new RequestScan(this.scanner, this.snapshot.underscoreFields);
    scan.trustedOnly = trustedOnlyFor(this.snapshot, client);
    return scan;
  }

  /** Takes back the scan of a closed connection. No exchange may still use its head. */
  giveScan(scan: RequestScan): void {
    if (this.#spareScans.length >= MAX_SPARE_SCANS) return;
    scan.forget();
    this.#spareScans.push(scan);
  }
}

/** A client that knows our idle timeout doesn't send into a closing connection (undici, node:http and others heed it). */
function keepAliveLinesFor(keepAliveMs: number): FieldLines {
  const seconds = Math.floor(keepAliveMs / 1000);
  if (seconds === 0) return CONNECTION_KEEP_ALIVE;
  return joinLines(CONNECTION_KEEP_ALIVE, fieldLine('Keep-Alive', `timeout=${seconds}`));
}
