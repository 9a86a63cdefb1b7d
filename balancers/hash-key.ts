// The key of a request for consistent hashing, as the two hash words of a pick (docs/algorithms.md 1.6 and 5.2).
// Thread: both.

import { mix32, murmur32 } from '../core/murmur.ts';
import type { Random } from '../core/random.ts';
import type { ParsedOption } from '../core/option-schema.ts';
import { writeAddressPrefix } from './address-prefix.ts';

/** The part of a request that is hashed. Names of header fields are in lower case. */
export type HashKey =
  | { readonly kind: 'client-ip' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'query'; readonly name: string };

/** Parses `client-ip`, `path`, `header:NAME`, `cookie:NAME` or `query:NAME`. */
export function parseHashKey(text: string): ParsedOption<HashKey> {
  if (text === 'client-ip' || text === 'path') return { ok: true, value: { kind: text } };
  const match = /^(header|cookie|query):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text);
  const [, kind, named = ''] = match ?? [];
  if (kind === 'header') return { ok: true, value: { kind, name: named.toLowerCase() } };
  if (kind === 'cookie' || kind === 'query') return { ok: true, value: { kind, name: named } };
  const message = `${JSON.stringify(text)} is not a key: write client-ip, path, header:NAME, cookie:NAME or query:NAME`;
  return { ok: false, message };
}

/** The key for people: `client-ip`, `header x-user`. */
export function hashKeyName(key: HashKey): string {
  return 'name' in key ? `${key.kind} ${key.name}` : key.kind;
}

/** The request head, from which keys other than the client's address are read. */
export interface HashSource {
  /** Origin-form: path and query as received. */
  readonly target: string;
  /** @param name lower case */
  field(name: string): string | undefined;
}

/** The two words of a PickRequest. */
export interface HashWords {
  hash1: number;
  hash2: number;
}

/**
 * Writes the words of a request's key. Returns whether the request had the key.
 * @param clientAddress after trusted proxies were looked through; '' where there is none (Unix sockets).
 */
export type HashKeyReader = (source: HashSource, clientAddress: string, out: HashWords) => boolean;

const encoder = new TextEncoder();
let scratch = new Uint8Array(1024);

/**
 * Builds the reader of a key. The same key and seed give the same words in every process.
 *
 * | key | hashed value |
 * |---|---|
 * | client-ip | all of an IPv4 address, the /64 of an IPv6 one |
 * | header | the field's value; several lines count as one, joined |
 * | cookie | the value of the first cookie of that name, as it stands (RFC 6265 section 4.2) |
 * | path | the target up to its query, percent-encoding untouched |
 * | query | the value of the first parameter of that name, percent-encoding untouched |
 *
 * Where the key is absent or empty the words are random: requests without a key spread over the endpoints by
 * weight, where one word for all of them would pile them up at a single endpoint.
 * @param seed of the upstream's settings: proxies that share it agree.
 */
export function buildHashKey(key: HashKey, seed: number, random: Random): HashKeyReader {
  const write = writerFor(key);
  const secondSeed = mix32(seed + 4);
  return (source, clientAddress, out) => {
    const length = write(source, clientAddress);
    out.hash1 = length > 0 ? murmur32(scratch, length, seed) : randomWord(random);
    out.hash2 = length > 0 ? murmur32(scratch, length, secondSeed) : randomWord(random);
    return length > 0;
  };
}

/**
 * The hashed part of a request for people: the client's address, or the text of the key; '' if the request has none.
 * @param clientAddress as for a HashKeyReader
 */
export function hashKeyText(key: HashKey, source: HashSource, clientAddress: string): string {
  const length = writerFor(key)(source, clientAddress);
  if (length === 0) return '';
  return key.kind === 'client-ip' ? clientAddress : new TextDecoder().decode(scratch.slice(0, length));
}

function randomWord(random: Random): number {
  return Math.floor(random.next() * 0x1_0000_0000);
}

/** Returns a function that writes the key's bytes into `scratch` and returns their number. */
function writerFor(key: HashKey): (source: HashSource, clientAddress: string) => number {
  switch (key.kind) {
    case 'client-ip':
      return (_, clientAddress) => writeAddressPrefix(clientAddress, scratch);
    case 'header':
      return (source) => writeText(source.field(key.name) ?? '');
    case 'cookie':
      return (source) => writeText(valueOf(source.field('cookie') ?? '', 0, ';', key.name));
    case 'path':
      return (source) => writeText(pathOf(source.target));
    case 'query':
      return (source) => writeText(queryValue(source.target, key.name));
    default:
      return key satisfies never;
  }
}

/** UTF-8, so that implementations in other languages get the same hash. */
function writeText(text: string): number {
  if (scratch.length < text.length * 3) scratch = new Uint8Array(text.length * 3);
  return encoder.encodeInto(text, scratch).written;
}

function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end < 0 ? target : target.slice(0, end);
}

function queryValue(target: string, name: string): string {
  const begin = target.indexOf('?');
  return begin < 0 ? '' : valueOf(target, begin + 1, '&', name);
}

/** The value of the first `name=value` among the parts of `text` from `begin` on; leading blanks are ignored. */
function valueOf(text: string, begin: number, separator: string, name: string): string {
  for (let at = begin; at < text.length; ) {
    const next = text.indexOf(separator, at);
    const end = next < 0 ? text.length : next;
    while (at < end && text[at] === ' ') at++;
    if (text.startsWith(name, at) && text[at + name.length] === '=' && at + name.length < end) {
      return text.slice(at + name.length + 1, end).trimEnd();
    }
    at = end + 1;
  }
  return '';
}
