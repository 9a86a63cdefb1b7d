// The largest growth of a process's resident memory over a time. Thread: main.

const LOOK_MS = 200;

export class MemoryWatch {
  readonly #startBytes: number;
  #mostBytes: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(startBytes: number, read: () => Promise<number>) {
    this.#startBytes = startBytes;
    this.#mostBytes = startBytes;
    const look = async (): Promise<void> => {
      this.#mostBytes = Math.max(this.#mostBytes, await read());
    };
    this.#timer = setInterval(() => void look(), LOOK_MS);
  }

  static async start(read: () => Promise<number>): Promise<MemoryWatch> {
    return new MemoryWatch(await read(), read);
  }

  stop(): { readonly startBytes: number; readonly growthBytes: number } {
    clearInterval(this.#timer);
    return { startBytes: this.#startBytes, growthBytes: this.#mostBytes - this.#startBytes };
  }
}
