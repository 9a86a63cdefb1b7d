// Progress of long work: one line on standard error that replaces itself; nothing where that is no terminal. Thread: main.

const CLEAR_LINE = '\r\u001b[K';

export class Progress {
  readonly #stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;
  #isShown = false;

  constructor(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'> = process.stderr) {
    this.#stream = stream;
  }

  /** Replaces the line. A longer text is cut, because a wrapped line couldn't be replaced. */
  show(text: string): void {
    if (!this.#stream.isTTY) return;
    this.#isShown = true;
    this.#stream.write(`${CLEAR_LINE}${text.slice(0, Math.max(1, this.#stream.columns - 1))}`);
  }

  /** Removes the line. Call it before anything else is printed. */
  end(): void {
    if (this.#isShown) this.#stream.write(CLEAR_LINE);
    this.#isShown = false;
  }
}
