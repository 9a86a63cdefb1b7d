// Messages between a run and its endpoint processes. Thread: main.

/** The action of an endpoint on a complete request. 'broken' is 'unavailable' except for health checks. */
export type EndpointMode = 'well' | 'reset' | 'unavailable' | 'late' | 'broken';

/** Sent to the endpoint by IPC. */
export type EndpointCommand =
  | { readonly kind: 'listen'; readonly port: number }
  | { readonly kind: 'mode'; readonly mode: EndpointMode }
  | { readonly kind: 'slots'; readonly slots: number };

/** Follows the id in the body of a response, so that a truncated body is detected. */
export const PADDING = `\n${'.'.repeat(200)}\n`;
