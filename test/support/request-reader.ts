// Splits the bytes that an origin received into requests, strictly and independently of our codec. Thread: main.

/** A received request. */
export class ReceivedRequest {
  /** Up to and including the empty line. */
  head = '';
  isComplete = false;
  readonly completed: Promise<void>;
  readonly #resolve: () => void;
  readonly #rawParts: Buffer[] = [];
  readonly #bodyParts: Buffer[] = [];

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.completed = promise;
    this.#resolve = resolve;
  }

  /** All bytes received so far. */
  get raw(): Buffer {
    return Buffer.concat(this.#rawParts);
  }

  /** Payload so far. */
  get body(): Buffer {
    return Buffer.concat(this.#bodyParts);
  }

  get requestLine(): string {
    return this.head.slice(0, this.head.indexOf('\r\n'));
  }

  /** Field lines, unchanged. */
  get lines(): string[] {
    return this.head.split('\r\n').slice(1, -2);
  }

  /** Values of a field, in order. @param name in lower case */
  values(name: string): string[] {
    const of = (line: string): [string, string] => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ];
    return this.lines
      .map(of)
      .filter(([found]) => found === name)
      .map(([, value]) => value);
  }

  addRaw(bytes: Buffer): void {
    this.#rawParts.push(bytes);
  }

  addBody(bytes: Buffer): void {
    this.#bodyParts.push(bytes);
  }

  complete(): void {
    this.isComplete = true;
    this.#resolve();
  }
}

/** @throws Error if the bytes are not a request, or are framed in two ways */
export class RequestReader {
  #request = new ReceivedRequest();
  #rest: Buffer = Buffer.alloc(0);
  #remaining = 0;
  #isChunked = false;

  /** The request that is being read. */
  next(): ReceivedRequest {
    return this.#request;
  }

  /** @returns the requests received so far, the last one possibly incomplete; none before its head is complete */
  feed(bytes: Buffer): ReceivedRequest[] {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const touched: ReceivedRequest[] = [];
    for (;;) {
      if (this.#request.head === '' && !this.#readHead()) return touched;
      touched.push(this.#request);
      if (!(this.#isChunked ? this.#readChunks() : this.#readLength())) return touched;
      this.#request.complete();
      this.#request = new ReceivedRequest();
    }
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    this.#request.addRaw(taken);
    return taken;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const request = this.#request;
    request.head = this.#take(end + 4).toString('latin1');
    if (!/^[^\s]+ [^\s]+ HTTP\/1\.[01]\r\n/.test(request.head)) throw new Error(`no request: ${request.requestLine}`);
    const lengths = request.values('content-length');
    const codings = request.values('transfer-encoding');
    if (lengths.length + codings.length > 1) throw new Error('framed in two ways');
    this.#isChunked = codings.length === 1;
    this.#remaining = Number(lengths[0] ?? 0);
    return true;
  }

  #readLength(): boolean {
    const size = Math.min(this.#remaining, this.#rest.length);
    this.#request.addBody(this.#take(size));
    this.#remaining -= size;
    return this.#remaining === 0;
  }

  #readChunks(): boolean {
    for (;;) {
      const line = this.#rest.indexOf('\r\n');
      if (line < 0) return false;
      const size = Number.parseInt(this.#rest.toString('latin1', 0, line), 16);
      if (Number.isNaN(size)) throw new Error('no chunk size');
      if (size === 0) return this.#readTrailers();
      const whole = line + 2 + size + 2;
      if (this.#rest.length < whole) return false;
      const chunk = this.#take(whole);
      if (chunk.toString('latin1', whole - 2) !== '\r\n') throw new Error('a chunk without its end');
      this.#request.addBody(chunk.subarray(line + 2, whole - 2));
    }
  }

  /** The last chunk, and trailers up to the empty line. */
  #readTrailers(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end < 0) return false;
    this.#take(end + 4);
    return true;
  }
}
