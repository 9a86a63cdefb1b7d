// How long requests may wait for an endpoint, which the response timeout bounds. Thread: main.

/** A queue that holds more than this share of the response timeout keeps an overload alive (docs/algorithms.md 4.3). */
const QUEUE_SHARE = 0.4;

/** The longest wait in ms that a response timeout in ms leaves; infinite without one. */
export function longestQueueMs(responseMs: number): number {
  return responseMs === 0 ? Infinity : Math.max(1, Math.floor(responseMs * QUEUE_SHARE));
}

/** How long requests do wait at most, in ms. */
export function queueMsOf(timeouts: { readonly queue: number; readonly response: number }): number {
  return Math.min(timeouts.queue, longestQueueMs(timeouts.response));
}
