// Completes package-lock.json after `npm install`: with a registry that lacks packages for foreign platforms, npm 11
// leaves them out of the lock, and `npm ci` then refuses it (npm/cli#9342). Adds an entry for each, without a hash.
// Plain JavaScript, since it runs before anything is installed. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const OS = /android|darwin|freebsd|linux|win32|openharmony|aix|sunos|netbsd|openbsd/;
const CPU = /-(arm64|armv7|arm|x64|ia32|ppc64|riscv64|s390x|wasm32|loong64)(?![a-z0-9])/;

/** The entry of an optional package. Its platform is derived from its name. */
function entryOf(name, version, isDev) {
  const os = OS.exec(name)?.[0];
  const cpu = CPU.exec(name)?.[1];
  const libc = os !== 'linux' ? undefined : name.includes('musl') ? 'musl' : name.includes('gnu') ? 'glibc' : undefined;
  return {
    version,
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(isDev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    ...(os ? { os: [os] } : {}),
  };
}

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key] || lock.packages[`${place}/${key}`]) continue;
    lock.packages[key] = entryOf(name, version, entry.dev === true);
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} entries added`);
