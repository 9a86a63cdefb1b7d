// Caddy: one process, GOMAXPROCS as many as workers. Thread: main.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Peer } from './peer.ts';
import { Program, versionText } from './program.ts';

export const caddy: Peer = {
  name: 'caddy',
  title: 'Caddy',
  install: 'scripts/install-peers.sh caddy',
  version: () => /^v?(\d\S*)/.exec(versionText('caddy', 'version') ?? '')?.[1] ?? null,
  start: async (place, configuration) => {
    const { folder, workers } = place;
    const port = await freePort();
    const file = join(folder, 'Caddyfile');
    writeFileSync(file, configuration(port));
    const args = ['run', '--config', file, '--adapter', 'caddyfile'];
    const env = { GOMAXPROCS: String(workers), HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    return Program.start({ ...place, command: 'caddy', args, port, env });
  },
};
