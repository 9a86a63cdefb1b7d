// Flattens concatenated text. Thread: worker.

/**
 * The same text in one piece: V8 keeps concatenated text as a tree and walks it at each write. For text that is written
 * many times. @param text latin1
 */
export function flatText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
