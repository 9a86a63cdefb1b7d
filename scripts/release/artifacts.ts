// Files of a release: tarball, bill of materials, release notes, checksums. Thread: main.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Runs a program in a folder and returns its output. @throws Error with what it wrote to standard error */
export function runIn(root: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${status}):\n${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Writes all files of a release into `out` and returns their names. */
export function writeArtifacts(root: string, out: string, notes: string): string[] {
  mkdirSync(out, { recursive: true });
  const [packed] = JSON.parse(runIn(root, 'npm', ['pack', '--json', '--pack-destination', out])) as {
    readonly filename: string;
  }[];
  writeFileSync(path.join(out, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(root), null, 2)}\n`);
  writeFileSync(path.join(out, 'NOTES.md'), `${notes}\n`);
  const names = [packed!.filename, 'sbom.cdx.json', 'NOTES.md'];
  const sums = names.map((name) => `${sha256(path.join(out, name))}  ${name}\n`);
  writeFileSync(path.join(out, 'SHA256SUMS'), sums.join(''));
  return [...names, 'SHA256SUMS'];
}

interface Bom {
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly properties?: readonly { readonly name: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/**
 * In CycloneDX: every package that the tarball needs at run time, with version, licence and hash. `npm sbom --omit dev`
 * would also leave out packages that a development dependency needs as well, so what is marked is removed here.
 */
function billOfMaterials(root: string): Bom {
  const bom = JSON.parse(runIn(root, 'npm', ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'])) as Bom;
  const isDevelopment = (one: Bom['components'][number]): boolean =>
    one.properties?.some(({ name }) => name === 'cdx:npm:package:development') ?? false;
  const removed = new Set(bom.components.filter(isDevelopment).map((one) => one['bom-ref']));
  return {
    ...bom,
    components: bom.components.filter((one) => !removed.has(one['bom-ref'])),
    dependencies: bom.dependencies
      .filter(({ ref }) => !removed.has(ref))
      .map((one) => ({ ...one, dependsOn: one.dependsOn?.filter((ref) => !removed.has(ref)) ?? [] })),
  };
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
