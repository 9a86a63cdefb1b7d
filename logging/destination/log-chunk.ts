// A buffer of log lines on their way to a sink. Thread: both.

/** Size of a chunk. A full one is written at once. */
export const CHUNK_BYTES = 64 * 1024;

const LINE_FEED = 10;

/** Bytes [begin, end) are not written yet. The first byte is a line feed, written only after an incomplete line. */
export class Chunk {
  readonly bytes: Buffer = Buffer.allocUnsafeSlow(1 + CHUNK_BYTES);
  begin = 1;
  end = 1;

  constructor() {
    this.bytes[0] = LINE_FEED;
  }

  get isEmpty(): boolean {
    return this.end === 1;
  }

  /** Bytes that can still be added. */
  get room(): number {
    return this.bytes.length - this.end;
  }

  /** Adds a line. The caller has checked that there is room. */
  add(line: string): void {
    this.end += this.bytes.write(line, this.end, 'utf8');
  }

  clear(): void {
    this.begin = 1;
    this.end = 1;
  }

  /** Lines that are not completely written. */
  countLines(): number {
    let lines = 0;
    for (let i = Math.max(1, this.begin); i < this.end; i++) if (this.bytes[i] === LINE_FEED) lines++;
    return lines;
  }

  /** Whether the part written so far ends within a line. @param wasTorn the answer where nothing was written */
  isTorn(wasTorn: boolean): boolean {
    return this.begin === 0 ? wasTorn : this.bytes[this.begin - 1] !== LINE_FEED;
  }

  /**
   * End of the next piece to write: as many whole lines as one write may take, so that lines of several writers don't
   * mix. A line that is longer than one write is split.
   */
  endOfPiece(writeBytes: number): number {
    if (this.end - this.begin <= writeBytes) return this.end;
    const end = this.bytes.lastIndexOf(LINE_FEED, this.begin + writeBytes - 1) + 1;
    return end > this.begin ? end : this.begin + writeBytes;
  }
}
