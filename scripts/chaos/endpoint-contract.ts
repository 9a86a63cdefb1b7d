// What a run and its endpoints' processes say to each other. Thread: main.

/** What an endpoint does with a request that has come in whole. 'broken' is 'unavailable' to all but health checks. */
export type EndpointMode = 'well' | 'reset' | 'unavailable' | 'late' | 'broken';

/** By IPC, to the endpoint. */
export type EndpointCommand =
  | { readonly kind: 'listen'; readonly port: number }
  | { readonly kind: 'mode'; readonly mode: EndpointMode }
  | { readonly kind: 'slots'; readonly slots: number };

/** Follows the id in the body of a response, so that a cut one is seen. */
export const PADDING = `\n${'.'.repeat(200)}\n`;
