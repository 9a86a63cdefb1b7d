// Checks of secrets that every user of the machine can read: key files, and secrets in the configuration file itself.
// Thread: main.

import { knownKeys } from '../schema/known-keys.ts';
import type { CheckContext } from './parsed-config.ts';
import { formatPath, type KeyPath } from '../problems/problem.ts';
import { metaOf } from '../schema/schema-tree.ts';

/** Permission bit of chmod(1): readable by others. */
const OTHERS_READ = 0o004;

/** Whether a file with this mode is readable by every user. */
export function isWorldReadable(mode: number): boolean {
  return (mode & OTHERS_READ) !== 0;
}

/** Reports a world-readable private key. */
export function checkKeyFile(name: string, path: KeyPath, context: CheckContext): void {
  const outcome = context.files.read(name);
  if (!outcome.ok || !isWorldReadable(outcome.mode) || !outcome.text.includes('PRIVATE KEY')) return;
  const message = `${name} is readable by every user of this machine: chmod 640 ${name}, or 600`;
  context.report({ code: 'FL9015', message, path });
}

/** Reports literal secrets in a world-readable configuration file. */
export function checkWrittenSecrets(context: CheckContext): void {
  for (const steps of secretPaths()) {
    for (const path of expand(steps, context.tree.root)) {
      const written = context.tree.writtenAt(path);
      if (written === '' || written.includes('${') || !context.isWorldReadable(path)) continue;
      const message = `this secret is in a file that is readable by every user of this machine: write ${formatPath([path.findLast((step) => typeof step === 'string')!])}: "\${NAME}" with an environment variable, or chmod 640 the file`;
      context.report({ code: 'FL9015', message, path });
    }
  }
}

/** Schema paths of secrets, as steps; `*` stands for any name and `[]` for any item. */
function secretPaths(): string[][] {
  const secret = knownKeys().filter(({ schema }) => metaOf(schema).isSecret === true);
  return secret.flatMap(({ path }) => {
    const steps = path.replaceAll('[]', '.[]').split('.');
    return [steps, [...steps, '[]']];
  });
}

/** Paths of all strings and numbers in `value` at a schema path. Few of thousands of routes have any: a path is made at its end. */
function expand(steps: readonly string[], value: unknown): KeyPath[] {
  const found: KeyPath[] = [];
  const path: (string | number)[] = [];
  const visit = (key: string | number, item: unknown): void => {
    path.push(key);
    collect(item);
    path.pop();
  };
  const collect = (at: unknown): void => {
    const step = steps[path.length];
    if (step === undefined) {
      if (typeof at === 'string' || typeof at === 'number') found.push([...path]);
    } else if (Array.isArray(at)) {
      if (step === '[]') for (const [index, item] of at.entries()) visit(index, item);
    } else if (step !== '[]' && typeof at === 'object' && at !== null) {
      const mapping = at as Readonly<Record<string, unknown>>;
      if (step === '*') for (const [key, item] of Object.entries(mapping)) visit(key, item);
      else if (Object.hasOwn(mapping, step)) visit(step, mapping[step]);
    }
  };
  collect(value);
  return found;
}
