// Realistic heads for benchmarks: of a load generator, a browser and an application server.

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;

/** A load generator's request. */
export const SMALL_REQUEST = lines('GET /items/42 HTTP/1.1', 'Host: shop.example.test:8080');

/** A browser's request with eleven fields. */
export const BROWSER_REQUEST = lines(
  'GET /catalogue/items?page=2&sort=name HTTP/1.1',
  'Host: shop.example.test',
  'Connection: keep-alive',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Referer: https://shop.example.test/catalogue',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes',
);

/** A form upload. */
export const POST_REQUEST = lines(
  'POST /orders HTTP/1.1',
  'Host: shop.example.test',
  'Content-Type: application/json',
  'Content-Length: 16384',
  'Accept: application/json',
);

/** A small response of an application server. */
export const SMALL_RESPONSE = lines(
  'HTTP/1.1 200 OK',
  'Content-Type: application/json; charset=utf-8',
  'Content-Length: 123',
  'Date: Sat, 01 Aug 2026 12:00:00 GMT',
  'Connection: keep-alive',
  'Keep-Alive: timeout=5',
);

/** A chunked body of `count` chunks of `size` bytes. */
export function chunkedBody(count: number, size: number): string {
  return `${`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`.repeat(count)}0\r\n\r\n`;
}

/** Text (latin1) inside a buffer of the size that sockets read into, not at its start. */
export function inReadBuffer(text: string): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
  const bytes = Buffer.allocUnsafeSlow(Math.max(65_536, text.length + 64));
  const start = 64;
  return { bytes, start, end: start + bytes.write(text, start, 'latin1') };
}
