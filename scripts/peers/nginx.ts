// nginx: as many worker processes as workers. Thread: main.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import type { Peer } from './peer.ts';
import { Program, versionText } from './program.ts';

const BODY_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export const nginx: Peer = {
  name: 'nginx',
  title: 'nginx',
  install: 'scripts/install-peers.sh nginx',
  version: () => /nginx\/(\S+)/.exec(versionText('nginx', '-v') ?? '')?.[1] ?? null,
  start: async (place, configuration) => {
    const port = await freePort();
    const file = join(place.folder, 'proxy.conf');
    writeFileSync(file, configuration(port));
    return Program.start({ ...place, command: 'nginx', args: ['-p', place.folder, '-c', file], port });
  },
};

/** Configuration up to the inside of the http block. Connections are kept without a limit of requests. */
export function nginxPreamble(folder: string, workers: number): string {
  // Started by root, its workers would become a user that may not read the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off; ${user}
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
${BODY_FOLDERS.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}`;
}
