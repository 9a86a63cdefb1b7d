// Address blocks in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3) and a matcher for them. Thread: both.

import { BlockList, isIP } from 'node:net';
import { canonicalAddress } from './address.ts';

/** An address block. */
export interface CidrBlock {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** Length of the prefix in bits: 0..32 or 0..128. */
  readonly prefixBits: number;
}

/** Bits before the IPv4 address in an IPv4-mapped address, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96;

/** Parses `10.0.0.0/8`, `fd00::/8`, or a single address as a block of one. Returns null for anything else. */
export function parseCidr(text: string): CidrBlock | null {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return null;
  const width = version === 4 ? 32 : 128;
  const bits = slash === -1 ? String(width) : text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > width) return null;
  return unmapped({ family: version === 4 ? 'ipv4' : 'ipv6', address, prefixBits: Number(bits) });
}

/** Converts a block of IPv4-mapped addresses to the equivalent IPv4 block. */
function unmapped(block: CidrBlock): CidrBlock {
  if (block.family === 'ipv4' || block.prefixBits < MAPPED_BITS) return block;
  const address = canonicalAddress(block.address);
  if (address.includes(':')) return block;
  return { family: 'ipv4', address, prefixBits: block.prefixBits - MAPPED_BITS };
}

/**
 * Compiles blocks into a predicate on addresses (about 0.2 us a call). An IPv4-mapped IPv6 address, the form in which a
 * dual-stack listener reports IPv4 peers, matches the block of its IPv4 address. Text that is not an address matches none.
 * @throws RangeError for an entry that is not CIDR notation; validation of the configuration rules this out.
 */
export function compileCidrs(list: readonly string[]): (address: string) => boolean {
  if (list.length === 0) return () => false;
  const blocks = new BlockList();
  for (const text of list) {
    const block = parseCidr(text);
    if (block === null) throw new RangeError(`${text} is not a CIDR block`);
    blocks.addSubnet(block.address, block.prefixBits, block.family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && blocks.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
