// Facts for a report: machine, kernel, versions. Thread: main.

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { versionText } from '../peers/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GIB = 2 ** 30;

/** Version of the checkout, with its commit when git has one. */
export function fairleadVersion(): string {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  const commit = versionText('git', '-C', ROOT, 'describe', '--always', '--dirty')?.trim() ?? '';
  return /^[0-9a-f]+(-dirty)?$/.test(commit) ? `${version} (${commit})` : version;
}

/** Name and value of each fact about the machine. */
export function machineFacts(): readonly (readonly [string, string])[] {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = `${(totalmem() / GIB).toFixed(0)} GiB`;
  return [
    ['machine', `${model}, ${availableParallelism()} cores, ${memory}`],
    ['system', `${systemName()}, Linux ${release()}`],
    [
      'load average at the start',
      loadavg()
        .map((load) => load.toFixed(2))
        .join(', '),
    ],
  ];
}

/** Versions of the tools that are not proxies: load generator, OpenSSL, Node. */
export function toolFacts(): readonly (readonly [string, string])[] {
  return [
    ['Node', process.version],
    ['wrk', /wrk (\S+)/.exec(versionText('wrk', '-v') ?? '')?.[1] ?? 'not installed'],
    ['h2load', /nghttp2\/(\S+)/.exec(versionText('h2load', '--version') ?? '')?.[1] ?? 'not installed'],
    [
      'OpenSSL (wrk, HAProxy, nginx)',
      /OpenSSL (\S+)/.exec(versionText('openssl', 'version') ?? '')?.[1] ?? 'not installed',
    ],
    ['OpenSSL (Node)', process.versions.openssl],
  ];
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown system';
  } catch {
    return 'unknown system';
  }
}
