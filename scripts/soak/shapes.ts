// Sizes shared by the traffic of a soak and its app server. Thread: main.

export const SMALL_BYTES = 18;
export const BIG_BYTES = 65_536;
/** Size of a chunked body in either direction. */
export const CHUNK_BYTES = 4096;
export const CHUNKS = 5;
export const POST_BYTES = 16_384;
