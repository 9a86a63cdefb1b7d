// Conformance cases for HTTP/2 servers as data: frames to send and events to expect, in order. Thread: main.

import { fieldSection, FLAG, FRAME, frame, type Frame, uint32 } from '../../support/http2-frames.ts';
import { errorCodeOf, type Http2Event, type Http2Probe } from '../../support/http2-probe.ts';

/** Verdict on an event: 'wrong' ends the case at once, 'other' is passed over. */
type Judgement = 'met' | 'wrong' | 'other';

export interface Expectation {
  readonly what: string;
  readonly judge: (event: Http2Event) => Judgement;
}

/** Frames to send, or an event to wait for. */
export type Step = Buffer | Expectation;

export interface Http2Case {
  /** Of RFC 9113, or with 'HPACK ' of RFC 7541. */
  readonly section: string;
  readonly name: string;
  /** The case sends its own preface. */
  readonly isWithoutHandshake?: boolean;
  readonly steps: (scheme: string, probe: Http2Probe) => readonly Step[];
}

// ---- expectations

const isFrame = (event: Http2Event, type: number): event is Frame => typeof event !== 'string' && event.type === type;

/** An error of the connection: GOAWAY with one of the codes, or its end. */
export function connectionError(...codes: readonly number[]): Expectation {
  const judge = (event: Http2Event): Judgement => {
    if (event === 'closed') return 'met';
    if (!isFrame(event, FRAME.goaway)) return 'other';
    return codes.includes(errorCodeOf(event)) ? 'met' : 'wrong';
  };
  return { what: `GOAWAY with ${codes.join(' or ')}`, judge };
}

/** An error of a stream with one of the codes; the connection may end for it, too (section 5.4.2). */
export function streamError(...codes: readonly number[]): Expectation {
  const judge = (event: Http2Event): Judgement => {
    if (event === 'closed') return 'met';
    const code = errorCodeOf(event);
    if (code < 0) return 'other';
    return codes.includes(code) ? 'met' : 'wrong';
  };
  return { what: `RST_STREAM or GOAWAY with ${codes.join(' or ')}`, judge };
}

/** Exactly this frame: it must be sent. */
export function errorFrame(type: number, code: number): Expectation {
  const judge = (event: Http2Event): Judgement => {
    if (event === 'closed') return 'wrong';
    return isFrame(event, type) ? (errorCodeOf(event) === code ? 'met' : 'wrong') : 'other';
  };
  return { what: `a frame of type ${type} with code ${code}`, judge };
}

const meets = (what: string, isMet: (event: Http2Event) => boolean): Expectation => ({
  what,
  judge: (event) => (isMet(event) ? 'met' : event === 'closed' ? 'wrong' : 'other'),
});

export const CLOSED: Expectation = {
  what: 'a closed connection',
  judge: (event) => (event === 'closed' ? 'met' : 'other'),
};

export function response(stream: number): Expectation {
  return meets(`a response on stream ${stream}`, (event) => isFrame(event, FRAME.headers) && event.stream === stream);
}

/** The end of a stream: END_STREAM, or a reset without an error. */
export const STREAM_ENDED: Expectation = meets('END_STREAM', (event) => {
  if (typeof event === 'string') return false;
  if (event.type === FRAME.data || event.type === FRAME.headers) return (event.flags & FLAG.endStream) !== 0;
  return event.type === FRAME.rstStream && errorCodeOf(event) === 0;
});

/** The next DATA frame, of so many bytes. */
export function dataOf(length: number): Expectation {
  const judge = (event: Http2Event): Judgement => {
    if (isFrame(event, FRAME.data)) return event.payload.length === length ? 'met' : 'wrong';
    return event === 'closed' ? 'wrong' : 'other';
  };
  return { what: `DATA of ${length} bytes`, judge };
}

export const ANY_DATA: Expectation = meets('DATA', (event) => isFrame(event, FRAME.data));
export const SETTINGS_ACK: Expectation = meets(
  'SETTINGS with ACK',
  (event) => isFrame(event, FRAME.settings) && (event.flags & FLAG.ack) !== 0,
);
/** The first frame of the server. */
export const SERVER_PREFACE: Expectation = {
  what: 'SETTINGS first',
  judge: (event) => (isFrame(event, FRAME.settings) && (event.flags & FLAG.ack) === 0 ? 'met' : 'wrong'),
};

const PING_DATA = Buffer.from('conform!', 'latin1');
export const PING = frame(FRAME.ping, 0, 0, PING_DATA);
const isPong = (event: Http2Event, data: Buffer): boolean =>
  isFrame(event, FRAME.ping) && (event.flags & FLAG.ack) !== 0 && event.payload.equals(data);

export function pong(data: Buffer = PING_DATA): Expectation {
  const judge = (event: Http2Event): Judgement => {
    if (isPong(event, data)) return 'met';
    const isOther = isFrame(event, FRAME.ping) && (event.flags & FLAG.ack) !== 0;
    return event === 'closed' || isOther ? 'wrong' : 'other';
  };
  return { what: 'PING with ACK', judge };
}

export const PONG_OR_CLOSED: Expectation = {
  what: 'PING with ACK, or a closed connection',
  judge: (event) => (event === 'closed' || isPong(event, PING_DATA) ? 'met' : 'other'),
};

// ---- frames

/** Fields of a request. @param changes values by name; '' removes a field */
export function requestFields(scheme: string, changes: Readonly<Record<string, string>> = {}): string[] {
  const fields: string[] = [];
  const all = { ':method': 'GET', ':scheme': scheme, ':path': '/', ':authority': 'a.test', ...changes };
  for (const [name, value] of Object.entries(all)) if (value !== '') fields.push(name, value);
  return fields;
}

export function requestBlock(scheme: string, changes: Readonly<Record<string, string>> = {}): Buffer {
  return fieldSection(requestFields(scheme, changes));
}

/** HEADERS with END_HEADERS. */
export function headers(stream: number, block: Buffer, isLast = true): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders | (isLast ? FLAG.endStream : 0), stream, block);
}

/** HEADERS without END_HEADERS. */
export function openHeaders(stream: number, block: Buffer, isLast = true): Buffer {
  return frame(FRAME.headers, isLast ? FLAG.endStream : 0, stream, block);
}

export function continuation(stream: number, block: Buffer, isEnd = true): Buffer {
  return frame(FRAME.continuation, isEnd ? FLAG.endHeaders : 0, stream, block);
}

export function data(stream: number, text = 'test', isLast = true): Buffer {
  return frame(FRAME.data, isLast ? FLAG.endStream : 0, stream, Buffer.from(text, 'latin1'));
}

/** @param weight the octet of the frame: one less than the weight */
export function priority(stream: number, dependsOn = 0, weight = 255, isExclusive = false): Buffer {
  return frame(FRAME.priority, 0, stream, priorityFields(dependsOn, weight, isExclusive));
}

export function priorityFields(dependsOn = 0, weight = 255, isExclusive = false): Buffer {
  const bytes = uint32(dependsOn);
  if (isExclusive) bytes[0]! |= 0x80;
  return Buffer.concat([bytes, Buffer.from([weight])]);
}

/** Fields of 4 KiB each. */
export function largeFields(count: number): Buffer {
  return fieldSection(Array.from({ length: count }, (_, at) => [`x-dummy${at}`, 'x'.repeat(4000)]).flat());
}

export const together = (...frames: readonly Buffer[]): Buffer => Buffer.concat(frames);
