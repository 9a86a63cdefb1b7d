// A complete Fairlead for an integration test: real worker threads and sockets, ports chosen by the system. Thread: main.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { ControlPlane } from '../../control/control-plane.ts';
import { type LogLine, recordingLog } from './loggers.ts';
import { patientMs } from './patience.ts';

const EVENTUALLY_MS = patientMs(30_000);

export interface RunningFairlead {
  readonly plane: ControlPlane;
  /** Port of the first listener. */
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  /** Directory of the configuration file. */
  readonly folder: string;
  readonly log: readonly LogLine[];
  /** Rewrites the configuration file; `plane.reload()` applies it. */
  rewrite(yaml: string): void;
  /** Writes a file beside the configuration. */
  write(name: string, text: string): void;
}

/** Both paths: suites run on each. */
export const PATHS = [false, true] as const;

let isGeneralByDefault = false;

/** Disables the fast path for every Fairlead of this process whose configuration doesn't set it: one suite, two paths. */
export function useGeneralPath(): void {
  isGeneralByDefault = true;
}

/** A Fairlead that its caller stops. */
export interface LaunchedFairlead {
  readonly fairlead: RunningFairlead;
  /** The lines of `fairlead.log`. */
  readonly log: LogLine[];
  readonly stop: () => Promise<void>;
}

/**
 * Starts Fairlead on a configuration and stops it after the test.
 * @param yaml listeners should bind port 0 of loopback.
 * @param files beside the configuration, by name
 */
export async function startFairlead(
  t: TestContext,
  yaml: string,
  files: Readonly<Record<string, string>> = {},
): Promise<RunningFairlead> {
  const { fairlead } = await launchFairlead(yaml, files, (stop) => t.after(stop));
  return fairlead;
}

/** @param onLaunch called before the start, which may fail */
export async function launchFairlead(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
  onLaunch: (stop: () => Promise<void>) => void = () => undefined,
): Promise<LaunchedFairlead> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const file = join(folder, 'fairlead.yaml');
  const write = (text: string): void => writeFileSync(file, onPath(text));
  write(yaml);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const lines: LogLine[] = [];
  const plane = new ControlPlane({
    load: (parts) => loadConfig(file, {}, parts),
    environment: {},
    version: '0.0.0-test',
    log: recordingLog(lines),
  });
  const stop = async (): Promise<void> => {
    await plane.close();
    rmSync(folder, { recursive: true, force: true });
  };
  onLaunch(stop);
  await plane.start();
  const port = plane.bound[0]?.port ?? 0;
  const fairlead: RunningFairlead = {
    plane,
    url: `http://127.0.0.1:${port}`,
    port,
    adminUrl: `http://${plane.adminAddress ?? '127.0.0.1:0'}`,
    folder,
    log: lines,
    rewrite: write,
    write: (name, text) => writeFileSync(join(folder, name), text),
  };
  return { fairlead, log: lines, stop };
}

function onPath(yaml: string): string {
  return isGeneralByDefault && !/^fastPath:/m.test(yaml) ? `fastPath: false\n${yaml}` : yaml;
}

/** Waits until `isTrue`, polling; fails with `what` after thirty seconds, scaled to the machine. */
export async function eventually(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpMs = performance.now() + EVENTUALLY_MS;
  while (!(await isTrue())) {
    if (performance.now() > giveUpMs) throw new Error(`condition not met in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
