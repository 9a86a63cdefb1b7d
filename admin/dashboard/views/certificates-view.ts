// Certificates with their expiry and renewal. Runs in the browser.

import type { Certificate } from '../types.ts';
import { day, span } from '../data/format.ts';
import { EXPIRY_SECONDS } from '../data/problems.ts';
import { byId } from '../parts/dom.ts';
import { type Label, TextTable, type TextRow } from '../parts/text-table.ts';

const HEADINGS = [
  { id: 'names', title: 'names', width: 14, isText: true },
  { id: 'state', title: 'state', width: 12, isText: true },
  { id: 'until', title: 'valid until', width: 8, isText: true },
  { id: 'renewal', title: 'renewal', width: 12, isText: true },
  { id: 'listener', title: 'listener', width: 7, isText: true },
  { id: 'issuer', title: 'issuer', width: 12, isText: true },
];

export class CertificatesView {
  readonly #table = new TextTable(
    byId('certificates', HTMLElement),
    'Certificates',
    HEADINGS,
    'No listener has a certificate.',
  );

  /** @param nowMs of the server */
  update(certificates: readonly Certificate[], nowMs: number): void {
    const ends = (one: Certificate): number => (one.notAfter === null ? 0 : Date.parse(one.notAfter));
    this.#table.update(certificates.toSorted((a, b) => ends(a) - ends(b)).map((one) => rowOf(one, nowMs)));
  }
}

function rowOf(certificate: Certificate, nowMs: number): TextRow {
  const { names, listener, issuer, notAfter, error, failures } = certificate;
  const attempts = failures === 0 ? '' : ` (${failures} failed)`;
  return {
    cells: [
      names.join(', '),
      stateOf(certificate, nowMs),
      notAfter === null ? '–' : day(notAfter),
      renewalOf(certificate),
      listener ?? '–',
      issuer ?? '–',
    ],
    note: error === null ? '' : `${error}${attempts}`,
  };
}

/** Marks a certificate near its end, unless it is renewed before. */
function stateOf({ notAfter, state, error, nextRenewal }: Certificate, nowMs: number): Label {
  if (notAfter === null) return { sign: '◔', label: state === 'ordering' ? 'being ordered' : 'waiting', tone: 'warn' };
  const left = (Date.parse(notAfter) - nowMs) / 1000;
  if (left <= 0) return { sign: '✕', label: `expired ${span(-left)} ago`, tone: 'bad' };
  const isSoon = error !== null || (nextRenewal === null && left < EXPIRY_SECONDS);
  return { sign: isSoon ? '!' : '●', label: `${span(left)} left`, tone: isSoon ? 'warn' : 'good' };
}

const SOURCES = { file: 'by hand', acme: 'automatic', internal: 'internal CA', provider: 'provider' };

function renewalOf({ source, origin, nextRenewal, nextAttempt, authority }: Certificate): string {
  if (origin !== null) return `by ${origin}`;
  const from = authority === null ? '' : ` from ${authority}`;
  if (nextAttempt !== null) return `${SOURCES[source]}${from}, next attempt ${day(nextAttempt)}`;
  return nextRenewal === null ? SOURCES[source] : `${SOURCES[source]}${from}, ${day(nextRenewal)}`;
}
