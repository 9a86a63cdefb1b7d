// Intersections of hosts, paths, addresses and words as they are written in matches. Pure. Thread: main.

import { compileCidrs, parseCidr } from '../../core/cidr.ts';

import { pathToMatch } from '../../core/request-path.ts';

/** One condition as written, and what it accepts; null for a form that can't be compared. */
export type PathForm = { readonly kind: 'exact' | 'prefix'; readonly value: string } | null;

/** The form of a path: a text is a prefix. */
export function pathForm(written: unknown): PathForm {
  if (typeof written === 'string') return { kind: 'prefix', value: pathToMatch(written) };
  if (typeof written !== 'object' || written === null) return null;
  const [entry, ...others] = Object.entries(written);
  if (entry === undefined || others.length > 0) return null;
  const [kind, value] = entry as [string, unknown];
  return (kind === 'exact' || kind === 'prefix') && typeof value === 'string'
    ? { kind, value: pathToMatch(value) }
    : null;
}

/** Whether `outer` accepts every path that `inner` accepts. */
export function containsPath(outer: unknown, inner: unknown): boolean {
  const wide = pathForm(outer);
  const narrow = pathForm(inner);
  if (wide === null || narrow === null) return false;
  if (wide.kind === 'exact') return narrow.kind === 'exact' && narrow.value === wide.value;
  if (!narrow.value.startsWith(wide.value)) return false;
  const { length } = wide.value;
  return wide.value.endsWith('/') || narrow.value.length === length || narrow.value[length] === '/';
}

/** Whether `outer` accepts every host that `inner` accepts. */
export function containsHost(outer: unknown, inner: unknown): boolean {
  if (typeof outer !== 'string' || typeof inner !== 'string') return false;
  const wide = outer.toLowerCase();
  const narrow = inner.toLowerCase();
  if (wide === narrow) return true;
  return wide.startsWith('*.') && narrow.length > wide.length - 1 && narrow.endsWith(wide.slice(1));
}

/** Whether `outer` accepts every address that `inner` accepts; blocks that aren't valid contain nothing. */
export function containsBlock(outer: unknown, inner: unknown): boolean {
  const wide = parseCidr(String(outer));
  const narrow = parseCidr(String(inner));
  if (wide === null || narrow === null || wide.family !== narrow.family) return false;
  return wide.prefixBits <= narrow.prefixBits && compileCidrs([String(outer)])(narrow.address);
}

export function containsWord(outer: unknown, inner: unknown): boolean {
  return String(outer).toLowerCase() === String(inner).toLowerCase();
}

/** The path that someone means who writes paths relative to those of the group. */
export function pathWithin(outer: unknown, inner: unknown): string | undefined {
  const wide = pathForm(outer);
  if (wide?.kind !== 'prefix' || typeof inner !== 'string' || !inner.startsWith('/')) return undefined;
  return `${wide.value.replace(/\/$/, '')}${inner}`;
}
