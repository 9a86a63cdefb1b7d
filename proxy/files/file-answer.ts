// The answer with a file: status, fields, and the part of the file to send. Conditional requests (RFC 9110 section 13) and
// ranges (section 14). Thread: both.

import type { FieldList, RequestHead } from '../../core/head.ts';
import type { CacheRule, FilesSnapshot } from '../../core/snapshot/route.ts';
import type { Coding } from '../policies/accept-encoding.ts';
import { mediaTypeOf } from './media-types.ts';

/** A file as an answer depends on it. */
export interface FileFacts {
  /** Below the root, without the extension of a precompressed variant. */
  readonly name: string;
  readonly coding: Coding | null;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly version: string;
}

export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly fields: FieldList;
  /** Part of the file that is the body. */
  readonly start: number;
  readonly length: number;
}

/** The part of a file that a Range field requests; null for the whole file. */
type Span = { readonly start: number; readonly length: number } | 'unsatisfiable' | null;

const SECOND_MS = 1000;

export function answerWith(file: FileFacts, request: RequestHead, files: FilesSnapshot): FileAnswer {
  const { sizeBytes } = file;
  const tag = `"${file.version}${file.coding === null ? '' : `-${file.coding}`}"`;
  // Whole seconds, as HTTP dates have them.
  const modifiedMs = Math.floor(file.modifiedMs / SECOND_MS) * SECOND_MS;
  const validators = ['ETag', tag, 'Last-Modified', new Date(modifiedMs).toUTCString()];
  const shared = [...validators, ...cacheFields(file.name, files)];
  const status = conditionalStatus(request, tag, modifiedMs);
  if (status === 412) return { status, fields: [], start: 0, length: 0 };
  if (status === 304) return { status, fields: shared, start: 0, length: 0 };
  const span = spanOf(request, { tag, modifiedMs, sizeBytes });
  if (span === 'unsatisfiable') {
    return { status: 416, fields: ['Content-Range', `bytes */${sizeBytes}`], start: 0, length: 0 };
  }
  const fields = ['Content-Type', mediaTypeOf(file.name), ...shared, 'Accept-Ranges', 'bytes'];
  if (file.coding !== null) fields.push('Content-Encoding', file.coding);
  if (span === null) return { status: 200, fields, start: 0, length: sizeBytes };
  fields.push('Content-Range', `bytes ${span.start}-${span.start + span.length - 1}/${sizeBytes}`);
  return { status: 206, fields, ...span };
}

function cacheFields(name: string, { cacheControl, precompressed }: FilesSnapshot): string[] {
  const rule = cacheControl.find((one) => isCachedBy(name, one));
  const fields = rule === undefined ? [] : ['Cache-Control', rule.value];
  if (precompressed.length > 0) fields.push('Vary', 'Accept-Encoding');
  return fields;
}

function isCachedBy(name: string, { kind, text }: CacheRule): boolean {
  return kind === 'all' || (kind === 'suffix' ? name.endsWith(text) : `/${name}`.startsWith(text));
}

/** The order of RFC 9110 section 13.2.2. */
function conditionalStatus(request: RequestHead, tag: string, modifiedMs: number): 200 | 304 | 412 {
  const match = request.field('if-match');
  if (match !== undefined) {
    if (!isListed(match, tag, true)) return 412;
  } else {
    const unmodifiedMs = dateOf(request.field('if-unmodified-since'));
    if (unmodifiedMs !== null && modifiedMs > unmodifiedMs) return 412;
  }
  const noneMatch = request.field('if-none-match');
  if (noneMatch !== undefined) return isListed(noneMatch, tag, false) ? 304 : 200;
  const sinceMs = dateOf(request.field('if-modified-since'));
  return sinceMs !== null && modifiedMs <= sinceMs ? 304 : 200;
}

/** Whether a list of entity tags has this one. @param isStrong whether weak tags never match */
function isListed(list: string, tag: string, isStrong: boolean): boolean {
  if (list.trim() === '*') return true;
  for (const [, weak, opaque] of list.matchAll(/(W\/)?("[^"]*")/g)) {
    if (opaque === tag && !(isStrong && weak !== undefined)) return true;
  }
  return false;
}

/** Milliseconds since 1970; null for what is no date of HTTP, which is ignored. */
function dateOf(value: string | undefined): number | null {
  if (value === undefined || !/^[A-Z][a-z]{2,8},? .*\d{4}/.test(value)) return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

/** One range is served; several are answered with the whole file, as section 14.2 allows. */
function spanOf(
  request: RequestHead,
  { tag, modifiedMs, sizeBytes }: { readonly tag: string; readonly modifiedMs: number; readonly sizeBytes: number },
): Span {
  const range = request.field('range');
  if (range === undefined || request.method !== 'GET') return null;
  const condition = request.field('if-range');
  // A date is compared exactly, and a weak tag never matches (section 13.1.5).
  if (condition !== undefined && condition !== tag && dateOf(condition) !== modifiedMs) return null;
  const parts = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)$/i.exec(range.trim());
  const [, first = '', last = ''] = parts ?? [];
  if (parts === null || (first === '' && last === '')) return null;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, length };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= sizeBytes ? 'unsatisfiable' : { start, length: end - start + 1 };
}
