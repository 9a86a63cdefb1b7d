// Loads plugins: once in each thread that needs them, and again only when the file's bytes have changed. Thread: both.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { PluginSnapshot } from '../core/snapshot/policy.ts';
import { partsOfModule, type PluginParts, PluginShapeError } from './plugin-parts.ts';

/** A plugin that was loaded, or the reason why it was not, as it follows "the plugin FILE". */
export type PluginLoad =
  | { readonly ok: true; readonly parts: PluginParts }
  | { readonly ok: false; readonly reason: string };

interface LibraryEntry {
  readonly digest: string;
  readonly load: PluginLoad;
}

const require = createRequire(import.meta.url);

/** The plugins of this thread, by absolute path. Node keeps every module that it evaluated until the thread ends. */
const library = new Map<string, LibraryEntry>();

/** SHA-256 of a plugin's bytes in hex. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The plugin as it was loaded; a plugin that this thread has not seen is loaded now. Never throws.
 * @param digest of the bytes that are expected: where the library has others, `refreshPlugins` has to come first
 */
export function loadPlugin({ file, digest }: PluginSnapshot): PluginLoad {
  const known = library.get(file);
  if (known === undefined) return remember(file, digest, evaluateNow(file));
  if (known.digest === digest) return known.load;
  return { ok: false, reason: 'changed while it was being loaded: reload once more' };
}

/** Loads those of these plugins again whose bytes are not the ones that were loaded. Never rejects. */
export async function refreshPlugins(plugins: Iterable<PluginSnapshot>): Promise<void> {
  for (const { file, digest } of plugins) {
    const known = library.get(file);
    if (known !== undefined && known.digest !== digest) remember(file, digest, await evaluateAgain(file, digest));
  }
}

/** The plugins of this thread as their files are now; those that can't be read are left out. */
export function* pluginsOnDisk(): Iterable<PluginSnapshot> {
  for (const file of library.keys()) {
    try {
      yield { file, digest: digestOf(readFileSync(file)) };
    } catch {
      continue;
    }
  }
}

function remember(file: string, digest: string, load: PluginLoad): PluginLoad {
  library.set(file, { digest, load });
  return load;
}

function evaluateNow(file: string): PluginLoad {
  try {
    return { ok: true, parts: partsOfModule(require(file) as unknown) };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

/** A query makes another module of the same file: Node evaluates it again. */
async function evaluateAgain(file: string, digest: string): Promise<PluginLoad> {
  try {
    const url = `${pathToFileURL(file).href}?digest=${digest}`;
    return { ok: true, parts: partsOfModule((await import(url)) as unknown) };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ERR_REQUIRE_ASYNC_MODULE: 'uses top-level await: plugins are loaded synchronously, so move that into create',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'is TypeScript under node_modules, which Node refuses: publish it compiled to JavaScript',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'has TypeScript syntax that Node cannot erase (enum, namespace, parameter property)',
};

function reasonOf(error: unknown): string {
  if (error instanceof PluginShapeError) return error.message;
  const { code = '' } = error as { code?: string };
  const [firstLine = ''] = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split('\n');
  return ADVICE[code] ?? `cannot be loaded: ${firstLine}`;
}

/**
 * The parts of these plugins, in a thread that uses them.
 * @param onFault receives the sentence about a plugin that this thread can't load: its parts are missing then
 */
export function partsOfPlugins(
  plugins: readonly PluginSnapshot[],
  onFault: (file: string, text: string) => void,
): readonly PluginParts[] {
  return plugins.flatMap((plugin) => {
    const load = loadPlugin(plugin);
    if (load.ok) return [load.parts];
    onFault(plugin.file, `the plugin ${plugin.file} ${load.reason}: requests that need its policies get 500`);
    return [];
  });
}
