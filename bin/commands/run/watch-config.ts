// `run --watch`: reloads when the content of the configuration file, or of a file that it names, changes. Thread: main.

import path from 'node:path';
import { FileWatch } from '../../../config/files/file-watch.ts';
import type { LoadedConfig, LoadResult } from '../../../config/load.ts';
import { systemTimers } from '../../../core/timers.ts';
import type { MainLogger } from '../../../logging/process-log.ts';
import type { ControlPlane } from '../../../control/control-plane.ts';

export interface WatchConfigOptions {
  readonly file: string;
  /** Result of the last load of the file. */
  readonly latest: () => LoadResult;
  readonly plane: Pick<ControlPlane, 'reload'>;
  readonly log: MainLogger;
}

/** Files that the configuration names, without the certificates of listeners: these are replaced without a reload. */
function filesToWatch({ files, settings }: LoadedConfig): string[] {
  const pairs = settings.listeners.flatMap(({ tls }) => tls?.certificates ?? []);
  const replaced = new Set(pairs.flatMap(({ cert, key }) => [cert, key]));
  return [...files.keys()].filter((name) => !replaced.has(name));
}

/** Watches until the returned function is called. A refused file changes nothing and is logged once, as any reload. */
export function watchConfig({ file, latest, plane, log }: WatchConfigOptions): () => void {
  const absolute = path.resolve(file);
  const directory = path.dirname(absolute);
  let named: readonly string[] = [];
  let patterns: readonly string[] = [];
  const watchAll = (): void => {
    const loaded = latest();
    const names = loaded.ok ? filesToWatch(loaded.config) : loaded.named;
    const { included } = loaded.ok ? loaded.config : loaded;
    const found = [...included.files, ...names.map((name) => path.resolve(directory, name))];
    patterns = loaded.ok ? included.patterns : [...new Set([...patterns, ...included.patterns])];
    // An invalid file may have lost file names by mistake: keep watching those of the running configuration.
    named = loaded.ok ? found : [...new Set([...named, ...found])];
    watching.watch(absolute, named, patterns);
  };
  const watching = new FileWatch({
    timers: systemTimers,
    nowMs: () => performance.now(),
    onChange: async () => {
      log.info({ file }, 'the configuration, or a file that it names, has changed: reload');
      await plane.reload();
      watchAll();
    },
  });
  watchAll();
  return () => watching.stop();
}
