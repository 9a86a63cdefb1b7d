// Runs conformance cases against a server. Thread: main.

import { patientMs } from '../../support/patience.ts';
import { type Http2Address, type Http2Event, Http2Probe } from '../../support/http2-probe.ts';
import type { Expectation, Http2Case } from './case.ts';
import { CONNECTION_CASES, CONTINUATION_CASES, SETTINGS_CASES, WINDOW_CASES } from './connection-cases.ts';
import { DATA_CASES, FORMAT_CASES, HEADERS_CASES, PREFACE_CASES, PRIORITY_CASES, RESET_CASES } from './frame-cases.ts';
import { HPACK_CASES } from './hpack-cases.ts';
import { DOWNGRADE_CASES, MESSAGE_CASES } from './message-cases.ts';
import { STREAM_CASES } from './stream-cases.ts';

export const ALL_CASES: readonly Http2Case[] = [
  PREFACE_CASES,
  FORMAT_CASES,
  STREAM_CASES,
  DATA_CASES,
  HEADERS_CASES,
  PRIORITY_CASES,
  RESET_CASES,
  SETTINGS_CASES,
  CONNECTION_CASES,
  WINDOW_CASES,
  CONTINUATION_CASES,
  MESSAGE_CASES,
  DOWNGRADE_CASES,
  HPACK_CASES,
].flat();

export const titleOf = ({ section, name }: Http2Case): string => `${section}: ${name}`;

/** Limit of every wait. */
export const CASE_LIMIT_MS: number = patientMs(5000);

/** @returns null where all steps are met, else the expectation that is not, with the events in its place */
export async function runCase(http2Case: Http2Case, address: Http2Address, limitMs: number): Promise<string | null> {
  const isWithoutHandshake = http2Case.isWithoutHandshake === true;
  const probe = await (isWithoutHandshake ? Http2Probe.open(address) : Http2Probe.handshake(address));
  try {
    for (const step of http2Case.steps(address.isTls ? 'https' : 'http', probe)) {
      if (Buffer.isBuffer(step)) probe.send(step);
      else {
        const failure = await expectEvent(step, probe, limitMs);
        if (failure !== null) return failure;
      }
    }
    return null;
  } finally {
    probe.close();
  }
}

async function expectEvent({ what, judge }: Expectation, probe: Http2Probe, limitMs: number): Promise<string | null> {
  const seen: string[] = [];
  for (;;) {
    const event = await probe.next(limitMs);
    const judgement = judge(event);
    if (judgement === 'met') return null;
    seen.push(describe(event));
    if (judgement === 'wrong' || typeof event === 'string') return `expected ${what}, received ${seen.join(', ')}`;
  }
}

function describe(event: Http2Event): string {
  if (typeof event === 'string') return event;
  const payload = event.payload.subarray(0, 16).toString('hex');
  return `type ${event.type} on ${event.stream}, flags ${event.flags}, payload ${payload}`;
}
