// The response of an exchange, as far as it has gone to the client, and the cause of its end. Thread: worker.

import type { FieldList } from '../../core/head.ts';
import type { Termination } from '../../core/termination.ts';

/** A body that Fairlead reads itself. */
interface BodySource {
  /** The client takes bytes again. */
  resume(): void;
  /** Frees what it holds; nothing follows. */
  cancel(): void;
}

export class ResponseProgress {
  /** Whether a byte has gone to the client, interim responses included. */
  hasBegun = false;
  /** Status sent to the client; 0 before. */
  status = 0;
  bytesSent = 0;
  /** Body bytes of the endpoint where policies read or change the body; 0 elsewhere. */
  bytesReceived = 0;
  /** Trailers where policies read or transform the body; null elsewhere. */
  trailers: FieldList | null = null;
  /** Source of a body of Fairlead's own; null for those of endpoints. */
  source: BodySource | null = null;
  wasUpgraded = false;
  termination: Termination = 'ok';

  reset(): void {
    this.hasBegun = false;
    this.status = 0;
    this.bytesSent = 0;
    this.bytesReceived = 0;
    this.trailers = null;
    this.source = null;
    this.wasUpgraded = false;
    this.termination = 'ok';
  }

  begin(): void {
    this.hasBegun = true;
  }

  setStatus(status: number): void {
    this.status = status;
  }

  sent(bytes: number): void {
    this.bytesSent += bytes;
  }

  received(bytes: number): void {
    this.bytesReceived += bytes;
  }

  upgraded(): void {
    this.wasUpgraded = true;
  }

  /** Sets the cause of the end; the last one counts. */
  endBy(termination: Termination): void {
    this.termination = termination;
  }
}
