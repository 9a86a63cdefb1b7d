// Parses server-sent events from chunks of text (WHATWG HTML section 9.2.6) in place of EventSource, which cannot send a
// token. Pure. Runs in the browser.

export interface Message {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Limit of a line, far beyond any event. */
const MAX_LINE_CHARS = 64 * 1024 * 1024;

export class EventParser {
  /** Id of the newest message that has one. */
  lastEventId = '';
  #rest = '';
  #event = '';
  #data: string[] = [];

  /** Returns the messages that end in this chunk. */
  push(text: string): Message[] {
    const whole = this.#rest + text;
    // A lone CR at the end may be the first half of CRLF.
    const end = whole.endsWith('\r') ? whole.length - 1 : whole.length;
    const lines = whole.slice(0, end).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '') + whole.slice(end);
    if (this.#rest.length > MAX_LINE_CHARS) throw new Error('the stream has a line without an end');
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): Message[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    return [];
  }

  #dispatch(): Message[] {
    const message = { id: this.lastEventId, event: this.#event || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? [] : [message];
  }
}
