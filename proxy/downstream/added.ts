// Result of adding body bytes to a response, over HTTP/1.1 and HTTP/2. Thread: worker.

export const Added = {
  /** More may follow. */
  ROOM: 0,
  /** Stop until the response has drained. */
  FULL: 1,
  /** More bytes than the head has declared: the response can't be completed. */
  OVERRUN: 2,
} as const;
export type Added = (typeof Added)[keyof typeof Added];
