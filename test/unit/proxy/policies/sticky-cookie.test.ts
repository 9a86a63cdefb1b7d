// Sticky cookies: what is written, what is taken back, for how long, and what a stranger cannot do. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StickyCookies } from '../../../../proxy/policies/sticky-cookies.ts';
import { endpointsOf, NOW_MS, SECRET, settingsOf, valueOf } from '../../../support/sticky.ts';

const ENDPOINTS = endpointsOf('10.0.0.1:80', '10.0.0.2:80', '/run/app.sock');
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function cookiesWith(settings: Parameters<typeof settingsOf>[0] = {}): StickyCookies {
  return new StickyCookies(settingsOf(settings), ENDPOINTS, 'app');
}

describe('a cookie', () => {
  test('leads back to its endpoint', () => {
    const cookies = cookiesWith();
    for (const { slot } of ENDPOINTS) {
      const value = valueOf(cookies.setCookieFor(slot, false, NOW_MS));
      assert.deepEqual(cookies.slotOf(`lb=${value}`, NOW_MS), { slot, mustRenew: false, sinceMs: NOW_MS });
    }
  });

  test('tells neither address nor slot, and has the signs that RFC 6265 allows', () => {
    const [first, second] = ENDPOINTS.map(({ slot }) => valueOf(cookiesWith().setCookieFor(slot, false, NOW_MS)));
    assert.match(first!, /^v1\.[\w-]{11}\.[\da-z]+-[\da-z]+\.[\w-]{16}$/);
    assert.ok(first!.length <= 64);
    assert.notEqual(first!.split('.')[1], second!.split('.')[1]);
    for (const { id } of ENDPOINTS) assert.ok(!first!.includes(Buffer.from(id).toString('base64url').slice(0, 8)));
  });

  test('is the same for all clients that come in one second, and another one later', () => {
    const cookies = cookiesWith();
    const first = cookies.setCookieFor(7, false, NOW_MS);
    assert.equal(cookies.setCookieFor(7, false, NOW_MS + 999), first);
    assert.notEqual(cookies.setCookieFor(7, false, NOW_MS + 1000), first);
    assert.notEqual(cookies.setCookieFor(8, false, NOW_MS), first);
  });

  test('for a slot that is not of this upstream is a fault of the caller', () => {
    assert.throws(() => cookiesWith().setCookieFor(99, false, NOW_MS), /slot 99/);
  });
});

describe('the attributes', () => {
  const attributesOf = (settings: Parameters<typeof settingsOf>[0], isTls = false): string => {
    const [, ...rest] = cookiesWith(settings).setCookieFor(7, isTls, NOW_MS).split('; ');
    return rest.join('; ');
  };

  test('are careful ones unless configured otherwise', () => {
    assert.equal(attributesOf({}), 'Path=/; HttpOnly; SameSite=Lax');
    assert.equal(attributesOf({ isHttpOnly: false, sameSite: 'Strict' }), 'Path=/; SameSite=Strict');
    assert.equal(attributesOf({ sameSite: 'None' }, true), 'Path=/; HttpOnly; SameSite=None; Secure');
  });

  test('have Secure over TLS, always, or never', () => {
    const isSecure = (secure: 'auto' | 'always' | 'never', isTls: boolean): boolean =>
      attributesOf({ secure }, isTls).endsWith('; Secure');
    assert.deepEqual([isSecure('auto', false), isSecure('auto', true)], [false, true]);
    assert.deepEqual([isSecure('always', false), isSecure('always', true)], [true, true]);
    assert.deepEqual([isSecure('never', false), isSecure('never', true)], [false, false]);
  });
});

describe('time', () => {
  test('half the idle time makes a cookie due for renewal, all of it ends it', () => {
    const cookies = cookiesWith();
    const header = `lb=${valueOf(cookies.setCookieFor(7, false, NOW_MS))}`;
    const at = (ms: number): boolean | undefined => cookies.slotOf(header, NOW_MS + ms)?.mustRenew;
    assert.deepEqual(
      [at(15 * MINUTE_MS), at(15 * MINUTE_MS + 1), at(30 * MINUTE_MS), at(30 * MINUTE_MS + 1)],
      [false, true, true, undefined],
    );
  });

  test('a session that is kept alive by renewals ends after its life', () => {
    const cookies = cookiesWith();
    let nowMs = NOW_MS;
    let sinceMs = NOW_MS;
    let renewals = 0;
    let header = `lb=${valueOf(cookies.setCookieFor(7, false, nowMs))}`;
    for (;;) {
      nowMs += 10 * MINUTE_MS;
      const choice = cookies.slotOf(header, nowMs);
      if (choice === null) break;
      assert.equal(choice.sinceMs, sinceMs);
      if (!choice.mustRenew) continue;
      renewals++;
      sinceMs = choice.sinceMs;
      header = `lb=${valueOf(cookies.setCookieFor(choice.slot, false, nowMs, choice.sinceMs))}`;
    }
    assert.equal(nowMs, NOW_MS + 12 * HOUR_MS + 10 * MINUTE_MS);
    assert.equal(renewals, 36);
  });

  test('without limits a cookie lives on and is never due', () => {
    const cookies = cookiesWith({ maxIdleMs: 0, maxLifeMs: 0 });
    const header = `lb=${valueOf(cookies.setCookieFor(7, false, NOW_MS))}`;
    assert.equal(cookies.slotOf(header, NOW_MS + 10_000 * HOUR_MS)?.mustRenew, false);
  });

  test('a remembered cookie ends like any other', () => {
    const cookies = cookiesWith();
    const header = `lb=${valueOf(cookies.setCookieFor(7, false, NOW_MS))}`;
    for (const ms of [0, 1, 29 * MINUTE_MS]) assert.equal(cookies.slotOf(header, NOW_MS + ms)?.slot, 7);
    assert.equal(cookies.slotOf(header, NOW_MS + 31 * MINUTE_MS), null);
  });

  test('a cookie from a little in the future is taken, from far ahead not', () => {
    const header = `lb=${valueOf(cookiesWith().setCookieFor(7, false, NOW_MS))}`;
    const taker = cookiesWith();
    assert.equal(taker.slotOf(header, NOW_MS - 5 * MINUTE_MS)?.slot, 7);
    assert.equal(taker.slotOf(header, NOW_MS - 5 * MINUTE_MS - 1), null);
  });
});

describe('rotation', () => {
  const oldSecret = 'the secret of last year';
  const header = `lb=${valueOf(cookiesWith({ secrets: [oldSecret] }).setCookieFor(8, false, NOW_MS))}`;

  test('an old secret still verifies, and what it signed is renewed at once', () => {
    const choice = cookiesWith({ secrets: [SECRET, oldSecret] }).slotOf(header, NOW_MS);
    assert.deepEqual(choice, { slot: 8, mustRenew: true, sinceMs: NOW_MS });
  });

  test('the first secret signs', () => {
    const rotated = cookiesWith({ secrets: [SECRET, oldSecret] }).setCookieFor(8, false, NOW_MS);
    assert.equal(rotated, cookiesWith().setCookieFor(8, false, NOW_MS));
  });

  test('a secret that is taken away verifies nothing', () => {
    assert.equal(cookiesWith().slotOf(header, NOW_MS), null);
  });
});

describe('after a reload', () => {
  const header = `lb=${valueOf(cookiesWith().setCookieFor(8, false, NOW_MS))}`;
  const after = (...ids: string[]): StickyCookies => new StickyCookies(settingsOf(), endpointsOf(...ids), 'app');

  test('an endpoint is found at any place in the list', () => {
    const [, , third] = endpointsOf('new:1', 'other:2', '10.0.0.2:80');
    assert.equal(after('new:1', 'other:2', '10.0.0.2:80').slotOf(header, NOW_MS)?.slot, third!.slot);
  });

  test('an endpoint that is gone leads nowhere', () => {
    assert.equal(after('10.0.0.1:80', '10.0.0.2:81').slotOf(header, NOW_MS), null);
    assert.equal(after().slotOf(header, NOW_MS), null);
  });
});

describe('a header', () => {
  const value = valueOf(cookiesWith().setCookieFor(7, false, NOW_MS));
  const found = (header: string | undefined): number | undefined => cookiesWith().slotOf(header, NOW_MS)?.slot;

  test('without our cookie leads nowhere', () => {
    for (const header of [
      undefined,
      '',
      ';',
      'a=b',
      'lb',
      'lb=',
      'lb=;',
      `LB=${value}`,
      `xlb=${value}`,
      `lb =${value}`,
    ])
      assert.equal(found(header), undefined, String(header));
  });

  test('may have others around ours', () => {
    for (const header of [`a=b; lb=${value}`, `lb=${value};a`, `; ;\tlb=${value} ; z=1`, `lb="; lb=${value}`])
      assert.equal(found(header), 7, header);
  });

  test('with a foreign cookie of our name before ours still leads to its endpoint', () => {
    assert.equal(found(`lb=planted; lb=${'x'.repeat(5000)}; lb=${value}`), 7);
  });

  test('gets only so many tries', () => {
    assert.equal(found(`${'lb=planted; '.repeat(4)}lb=${value}`), undefined);
  });

  test('with our cookie under another name is worth nothing there', () => {
    const other = new StickyCookies(settingsOf({ cookie: 'other' }), ENDPOINTS, 'app');
    assert.equal(other.slotOf(`other=${value}`, NOW_MS), null);
  });

  test('of another upstream with the same name, secret and endpoints is worth nothing', () => {
    const other = new StickyCookies(settingsOf(), ENDPOINTS, 'other');
    assert.equal(other.slotOf(`lb=${value}`, NOW_MS), null);
    const theirs = valueOf(other.setCookieFor(ENDPOINTS[0]!.slot, false, NOW_MS));
    assert.equal(found(`lb=${theirs}`), undefined);
  });

  test('with odd bytes, or too much of it, is ignored', () => {
    const wide = String.fromCodePoint(value.codePointAt(3)! + 0x100);
    const hostile: readonly string[] = [
      `lb=${value.slice(0, 3)}${wide}${value.slice(4)}`,
      `lb=${value}\0`,
      `lb="${value}"`,
      `lb=${value}=`,
      `lb=${value.toUpperCase()}`,
      `lb=${encodeURIComponent(`${value}é`)}`,
      'lb=v1...',
      'lb=\uD800',
      `lb=${'v1.'.repeat(10_000)}`,
    ];
    for (const header of hostile) assert.equal(found(header), undefined, header.slice(0, 80));
  });
});

test('more cookies than are remembered are all still good', () => {
  const cookies = cookiesWith();
  const headers = Array.from({ length: 4200 }, (_, n) => {
    const issuedMs = NOW_MS - n * 100;
    return `lb=${valueOf(cookies.setCookieFor(7, false, issuedMs, issuedMs - (n % 10) * 1000))}`;
  });
  for (const header of [...headers, ...headers]) assert.equal(cookies.slotOf(header, NOW_MS)?.slot, 7);
});
