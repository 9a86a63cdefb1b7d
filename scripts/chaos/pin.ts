// Pins this process and its future children to one core. Thread: main.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** @throws Error when the core or taskset is missing */
export async function pinToCore(core: string): Promise<void> {
  const args = ['-a', '-p', '-c', core, String(process.pid)];
  const child = spawn('taskset', args, { stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`can't be pinned to core ${core}: taskset ended with ${code}`);
}
