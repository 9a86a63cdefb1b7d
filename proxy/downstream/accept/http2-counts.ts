// Counts of one HTTP/2 client connection in its listener's lane: streams, resets, refused streams, GOAWAY frames.
// Thread: worker.

import { LISTENER_FIELD } from '../../../core/memory/lane-fields.ts';
import type { ListenerLane } from '../../account/lane.ts';

const F = LISTENER_FIELD;

export class Http2Counts {
  readonly #lane: ListenerLane;

  /** Counts the connection as open. */
  constructor(lane: ListenerLane) {
    this.#lane = lane;
    lane.add(F.http2ConnectionsAccepted, 1);
    lane.add(F.http2Connections, 1);
  }

  /** The connection has closed. To be called once. */
  closed(): void {
    this.#lane.add(F.http2Connections, -1);
  }

  /** Streams have begun, or ended where the number is negative. */
  streams(change: number): void {
    this.#lane.add(F.http2Streams, change);
  }

  resetReceived(): void {
    this.#lane.add(F.http2ResetsReceived, 1);
  }

  resetSent(): void {
    this.#lane.add(F.http2ResetsSent, 1);
  }

  /** A stream beyond the limit was refused, unprocessed. */
  streamRefused(): void {
    this.#lane.add(F.http2StreamsRefused, 1);
  }

  goawaySent(): void {
    this.#lane.add(F.http2GoawaysSent, 1);
  }

  goawayReceived(): void {
    this.#lane.add(F.http2GoawaysReceived, 1);
  }
}
