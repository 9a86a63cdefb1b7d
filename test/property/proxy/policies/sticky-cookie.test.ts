// Sticky cookies against anything: changed anywhere they are refused, whatever a header holds it is read in linear
// time. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StickyCookies } from '../../../../proxy/policies/sticky-cookies.ts';
import { endpointsOf, NOW_MS, settingsOf, valueOf } from '../../../support/sticky.ts';

const SEED = 20_260_901;
const IDS = ['10.0.0.1:80', '10.0.0.2:80', '[fd00::1]:443', 'app.internal:8080', '/run/app.sock'];
const secret = fc.string({ minLength: 16, maxLength: 40 });
const anyMs = fc.integer({ min: 0, max: 4_102_444_800_000 });

test('a cookie that is changed at any place to any sign is refused', () => {
  const cookies = new StickyCookies(settingsOf({ maxIdleMs: 0, maxLifeMs: 0 }), endpointsOf(...IDS), 'app');
  const value = valueOf(cookies.setCookieFor(8, true, NOW_MS));
  const signs = Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code));
  for (let at = 0; at < value.length; at++) {
    for (const sign of [...signs, 'Ā', '\u{1f600}', '']) {
      const changed = value.slice(0, at) + sign + value.slice(at + 1);
      if (changed === value) continue;
      assert.equal(cookies.slotOf(`lb=${changed}`, NOW_MS), null, JSON.stringify(changed));
    }
  }
});

test('a cookie that is cut, doubled or made of parts of two is refused', () => {
  const cookies = new StickyCookies(settingsOf({ maxIdleMs: 0, maxLifeMs: 0 }), endpointsOf(...IDS), 'app');
  const [a, b] = [
    valueOf(cookies.setCookieFor(8, true, NOW_MS)),
    valueOf(cookies.setCookieFor(9, true, NOW_MS - 5000)),
  ];
  const part = (value: string) =>
    fc.tuple(fc.nat(value.length), fc.nat(value.length)).map((range) => value.slice(...range));
  fc.assert(
    fc.property(fc.array(fc.oneof(part(a), part(b)), { maxLength: 4 }), (parts) => {
      const made = parts.join('');
      const slot = cookies.slotOf(`lb=${made}`, NOW_MS)?.slot;
      assert.equal(slot, made === a ? 8 : made === b ? 9 : undefined);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test('any order, choice and number of endpoints keeps each client at its own', () => {
  fc.assert(
    fc.property(secret, fc.shuffledSubarray(IDS, { minLength: 1 }), fc.shuffledSubarray(IDS), (key, before, after) => {
      const old = new StickyCookies(settingsOf({ secrets: [key] }), endpointsOf(...before), 'app');
      const reloaded = new StickyCookies(settingsOf({ secrets: [key] }), endpointsOf(...after), 'app');
      for (const { id, slot } of endpointsOf(...before)) {
        const choice = reloaded.slotOf(`lb=${valueOf(old.setCookieFor(slot, false, NOW_MS))}`, NOW_MS);
        assert.equal(choice?.slot, endpointsOf(...after).find((endpoint) => endpoint.id === id)?.slot);
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('with secrets rotated in any way, what any of them signed is taken and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(secret, { minLength: 3, maxLength: 3 }), fc.nat(2), ([a, b, c], signer) => {
      const secrets = [a!, b!, c!];
      const signed = new StickyCookies(settingsOf({ secrets: [secrets[signer]!] }), endpointsOf(...IDS), 'app');
      const taker = new StickyCookies(settingsOf({ secrets: [a!, b!] }), endpointsOf(...IDS), 'app');
      const choice = taker.slotOf(`lb=${valueOf(signed.setCookieFor(9, false, NOW_MS))}`, NOW_MS);
      assert.deepEqual(choice, signer === 2 ? null : { slot: 9, mustRenew: signer === 1, sinceMs: NOW_MS });
    }),
    { seed: SEED, numRuns: 200 },
  );
});

test('a cookie is good from its issue to the end of its idle time and life, and at no other time', () => {
  const period = fc.integer({ min: 2000, max: 1_000_000_000 });
  fc.assert(
    fc.property(
      anyMs,
      period,
      period,
      fc.nat(2_000_000_000),
      fc.nat(2_000_000_000),
      (since, idle, life, pause, wait) => {
        const cookies = new StickyCookies(settingsOf({ maxIdleMs: idle, maxLifeMs: life }), endpointsOf(...IDS), 'app');
        const issued = since + pause;
        const header = `lb=${valueOf(cookies.setCookieFor(7, false, issued, since))}`;
        const now = issued + wait;
        const [age, idleMs] = [now - Math.floor(since / 1000) * 1000, now - Math.floor(issued / 1000) * 1000];
        const choice = cookies.slotOf(header, now);
        assert.equal(choice !== null, idleMs <= idle && age <= life);
        assert.equal(choice?.mustRenew ?? false, choice !== null && idleMs > idle / 2);
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});

test('no header makes it throw, and a cookie is found wherever it stands', () => {
  const cookies = new StickyCookies(settingsOf(), endpointsOf(...IDS), 'app');
  const value = valueOf(cookies.setCookieFor(7, false, NOW_MS));
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'lb=;, \t"v1.-\0'.split('')) }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }), (before, after) => {
      const noise = before.join(';');
      cookies.slotOf(noise, NOW_MS);
      if (/(?:^|;)[ \t]*lb=/.test(noise)) return;
      assert.equal(cookies.slotOf(`${noise}; lb=${value} ;${after.join(';')}`, NOW_MS)?.slot, 7);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

/** Least of several runs, in ns per character. */
function costOf(header: string): number {
  let least = Infinity;
  for (let run = 0; run < 7; run++) {
    const cookies = new StickyCookies(settingsOf(), endpointsOf(...IDS), 'app');
    const begin = process.hrtime.bigint();
    cookies.slotOf(header, NOW_MS);
    least = Math.min(least, Number(process.hrtime.bigint() - begin));
  }
  return least / header.length;
}

test('the time for a hostile header grows no faster than its length', () => {
  const value = valueOf(new StickyCookies(settingsOf(), endpointsOf(...IDS), 'app').setCookieFor(7, false, NOW_MS));
  const forged = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`;
  const shapes = [';', ' ', '\t;', 'lb=', 'lb=;', 'lb=v1.', '=', 'lb', `lb=${forged};`, `${value}.`, 'lb= ', '\xff'];
  for (const shape of shapes) {
    const header = (length: number): string => shape.repeat(Math.ceil(length / shape.length));
    const ratio = costOf(header(1 << 20)) / costOf(header(1 << 15));
    // Quadratic would be 32; the least of seven runs wavers far less than eightfold.
    assert.ok(ratio < 8, `${JSON.stringify(shape)}: ${ratio.toFixed(1)} times as long for each character`);
  }
});
