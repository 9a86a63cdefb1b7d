// `fairlead trust`: where the root of the internal CA is, and how programs learn to trust it. Thread: main.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { INTERNAL_ROOT_FILE } from '../../../core/certificate-facts.ts';
import { loadConfig } from '../../../config/load.ts';
import { exitCodeOf, printProblems } from '../config/problems.ts';
import { EXIT } from '../exit-codes.ts';

/** Prints instructions and sets the exit code. @param pathOnly whether to print the path alone, for scripts */
export function trust(file: string, pathOnly: boolean): void {
  const loaded = loadConfig(file, process.env);
  if (!loaded.ok) {
    printProblems(loaded.problems);
    process.exitCode = exitCodeOf(loaded);
    return;
  }
  const { settings, directory } = loaded.config;
  const storages = settings.listeners.flatMap(({ tls }) => tls?.internal?.storage ?? []);
  const roots = [...new Set(storages)].map((storage) => path.resolve(directory, storage, INTERNAL_ROOT_FILE));
  const missing = roots.filter((root) => !existsSync(root));
  if (roots.length === 0) fail(`${file} has no listener with tls.internal: there is no root to trust`);
  else if (missing.length > 0) fail(`${missing[0]} does not exist yet: start Fairlead once, and it is created`);
  else for (const root of roots) console.log(pathOnly ? root : instructions(root));
}

function fail(message: string): void {
  console.error(`fairlead: ${message}`);
  process.exitCode = EXIT.failed;
}

function instructions(root: string): string {
  return `The root certificate of the internal CA is ${root}

Whoever has its key (root.pem in the same directory) can pose as any site to those who trust it. Trust it only on
machines that need it.

Debian, Ubuntu    sudo cp ${root} /usr/local/share/ca-certificates/fairlead.crt && sudo update-ca-certificates
Fedora, RHEL      sudo trust anchor ${root}
macOS             sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${root}
Windows           certutil -addstore -f ROOT ${root}
Firefox           Settings, Certificates, View Certificates, Authorities, Import
Chromium (Linux)  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n fairlead -i ${root}
curl              curl --cacert ${root} https://localhost
Node              NODE_EXTRA_CA_CERTS=${root} node app.js`;
}
