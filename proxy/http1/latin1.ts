// Decodes bytes as latin1. Thread: both.

type Slice = (this: Buffer, start: number, end: number) => string;

/** The function behind toString('latin1'), which Node has but doesn't document. */
const latin1Slice = (Buffer.prototype as { latin1Slice?: Slice }).latin1Slice;

/** Like `bytes.toString('latin1', start, end)`, which spends more time on its arguments than on a typical head. */
export const latin1Text: (bytes: Buffer, start: number, end: number) => string =
  latin1Slice === undefined
    ? (bytes, start, end) => bytes.toString('latin1', start, end)
    : (bytes, start, end) => latin1Slice.call(bytes, start, end);
