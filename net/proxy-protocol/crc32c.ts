// CRC32C (Castagnoli, RFC 3309), as PP2_TYPE_CRC32C needs it: node:zlib computes another CRC. Thread: both.

const POLYNOMIAL = 0x82f6_3b78;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/**
 * CRC32C of the bytes from `start` to `end`.
 * @param zeroAt start of four bytes that count as zeros: the field that holds the checksum itself; -1 for none
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, zeroAt = -1): number {
  let crc = 0xffff_ffff;
  for (let at = start; at < end; at += 1) {
    const byte = zeroAt >= 0 && at >= zeroAt && at < zeroAt + 4 ? 0 : bytes[at]!;
    crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}
