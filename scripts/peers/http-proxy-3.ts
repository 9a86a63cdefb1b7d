// http-proxy-3: a program of a few lines around the library, one process. Thread: main.

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import type { PeerPlace, RunningPeer } from './peer.ts';
import { Program } from './program.ts';

const SERVER = fileURLToPath(new URL('./http-proxy-3-server.ts', import.meta.url));

/** It has no configuration file: the program takes its arguments from here. */
export const httpProxy3 = {
  name: 'http-proxy-3',
  title: 'http-proxy-3',
  install: 'npm ci',
  version,
  /**
   * @param originPort on 127.0.0.1
   * @param certificate paths of certificate and key, or nothing for cleartext
   */
  start: async (place: PeerPlace, originPort: number, certificate: readonly string[]): Promise<RunningPeer> => {
    const port = await freePort();
    const args = [SERVER, String(port), String(originPort), ...certificate];
    return Program.start({ ...place, command: process.execPath, args, port });
  },
};

function version(): string | null {
  try {
    return JSON.parse(readFileSync(findPackageJSON('http-proxy-3', import.meta.url)!, 'utf8')).version;
  } catch {
    return null;
  }
}
