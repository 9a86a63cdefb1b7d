// Clients that people use, each through Fairlead: curl, EventSource in Chromium, a large upload. They throw where the
// result is not what the application sent. Thread: main.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { DOCUMENT } from './plain-app.ts';

const WAIT_MS = 30_000;
const PIECE = Buffer.alloc(256 * 1024, 'x');

/** `curl --compressed`: the document arrives compressed and is shown whole. */
export async function curlCompressed(url: string): Promise<string> {
  const args = ['--compressed', '-sS', '-i', '-w', '\n%{size_download}', `${url}/document`];
  const { stdout } = await promisify(execFile)('curl', args, { maxBuffer: 2 ** 24, timeout: WAIT_MS });
  const [head = '', text = ''] = stdout.split('\r\n\r\n', 2);
  const [body, sizeBytes] = text.split('\n');
  assert.ok(body === DOCUMENT, 'the document differs');
  const coding = /^content-encoding: (\S+)/im.exec(head)?.[1];
  assert.ok(coding !== undefined, head);
  assert.match(head, /^x-content-type-options: nosniff/im);
  assert.doesNotMatch(head, /^x-powered-by/im);
  return `${DOCUMENT.length} bytes as ${sizeBytes} by ${coding}`;
}

/** Chromium without access to other machines. */
export function startChromium(executablePath: string): Promise<Browser> {
  const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
  return chromium.launch({ executablePath, args });
}

/** A page that shows events as they arrive. */
export async function eventSource(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage();
  try {
    await page.goto(url, { timeout: WAIT_MS });
    const seen = page.locator('#seen');
    await seen.filter({ hasText: 'event1' }).waitFor({ timeout: WAIT_MS });
    const atFirst = await seen.textContent();
    await seen.filter({ hasText: 'event1 event2 event3 event4 event5' }).waitFor({ timeout: WAIT_MS });
    assert.ok(!atFirst!.includes('event5'), 'all events arrived at once');
    return 'five events, one after the other';
  } finally {
    await page.close();
  }
}

/** Uploads so many bytes with Content-Length. */
export function upload(url: string, sizeBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/upload`, { method: 'POST', headers: { 'Content-Length': sizeBytes } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        if (text === String(sizeBytes)) resolve(`${sizeBytes} bytes received`);
        else reject(new Error(`${response.statusCode}: ${text} of ${sizeBytes} bytes`));
      });
    });
    sent.on('error', reject);
    let left = sizeBytes;
    const more = (): void => {
      while (left > 0) {
        const piece = left >= PIECE.byteLength ? PIECE : PIECE.subarray(0, left);
        left -= piece.byteLength;
        if (!sent.write(piece)) return void sent.once('drain', more);
      }
      sent.end();
    };
    more();
  });
}
