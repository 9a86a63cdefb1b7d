// App server of the benchmark: an nginx that serves files from memory over persistent connections. Thread: main.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../core/random.ts';
import { freePort } from '../peers/free-port.ts';
import { ORIGIN_FILES } from './cases.ts';
import { nginxPreamble } from '../peers/nginx.ts';
import { Program } from '../peers/program.ts';

/** Starts the origin. `folder` should be in memory. */
export async function startOrigin(folder: string, cores: string): Promise<Program> {
  const www = join(folder, 'www');
  mkdirSync(www);
  for (const { name, bytes } of ORIGIN_FILES)
    writeFileSync(join(www, name), name === 'json' ? jsonOf(bytes) : bodyOf(bytes));
  const port = await freePort();
  const file = join(folder, 'origin.conf');
  writeFileSync(file, originConfiguration(folder, www, port));
  return Program.start({ command: 'nginx', args: ['-p', folder, '-c', file], cores, port, folder });
}

/**
 * A POST is read to its end before it is answered, as an application would do it: `mirror` is what reads the body,
 * and the static module's 405 becomes the small response. A plain `return 200` would answer early.
 */
function originConfiguration(folder: string, www: string, port: number): string {
  return `${nginxPreamble(folder, 1)}
  root ${www};
  default_type text/plain;
  sendfile on;
  client_body_buffer_size 64k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    client_max_body_size 16m;
    location = /post { mirror /swallow; error_page 405 =200 /small; }
    location = /swallow { internal; return 204; }
  }
}
`;
}

/** A list of orders, such as an API has them: repeated text would compress far better. */
function jsonOf(bytes: number): Buffer {
  const random = seededRandom(7);
  let text = '[';
  while (text.length < bytes) {
    const [id, amount, name] = [random.next(), random.next(), random.next()].map((number) => Math.floor(number * 1e9));
    text += `{"id":${id},"customer":"c-${name!.toString(36)}","amount":${amount! / 100},"state":"shipped"},`;
  }
  return Buffer.from(text.slice(0, bytes));
}

function bodyOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, 'hello from origin\n');
}
