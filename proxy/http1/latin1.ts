// Bytes as text, a character a byte. Thread: both.

type Slice = (this: Buffer, start: number, end: number) => string;

/** What toString('latin1') calls in the end; Node has it, and doesn't promise it. */
const latin1Slice = (Buffer.prototype as { latin1Slice?: Slice }).latin1Slice;

/** Same as `bytes.toString('latin1', start, end)`, which spends more time on its arguments than on a head. */
export const latin1Text: (bytes: Buffer, start: number, end: number) => string =
  latin1Slice === undefined
    ? (bytes, start, end) => bytes.toString('latin1', start, end)
    : (bytes, start, end) => latin1Slice.call(bytes, start, end);
