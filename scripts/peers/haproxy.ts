// HAProxy: one process with as many threads as workers. Thread: main.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Peer } from './peer.ts';
import { Program, versionText } from './program.ts';

export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy',
  install: 'scripts/install-peers.sh haproxy',
  version: () => /version (\S+)/.exec(versionText('haproxy', '-v') ?? '')?.[1] ?? null,
  start: async (place, configuration) => {
    const port = await freePort();
    const file = join(place.folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port));
    return Program.start({ ...place, command: 'haproxy', args: ['-db', '-f', file], port });
  },
};
