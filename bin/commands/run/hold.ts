// `fairlead run --holder`: keeps the sockets and runs Fairlead in a child process that can be replaced without losing a
// connection. Thread: main.

import { systemTimers } from '../../../core/timers.ts';
import { openMainLog } from '../../../logging/process-log.ts';
import { canHold, HeldSockets } from '../../../control/holder/held-sockets.ts';
import { Holder } from '../../../control/holder/holder.ts';
import { FORWARDED_SIGNALS } from '../../../control/holder/holder-messages.ts';
import { passedSockets } from '../../../control/supervisor/socket-table.ts';
import { EXIT } from '../exit-codes.ts';
import { Terminal } from './terminal.ts';

/** Interval of a timer that only keeps the process alive, in ms. */
const FOR_EVER_MS = 2 ** 30;

/** Runs until the last generation has ended. Sets the exit code. */
export async function hold(file: string, isWatching: boolean): Promise<void> {
  if (!canHold()) {
    console.error(`fairlead: --holder needs Node >= 24.19 (net.BoundSocket); this is ${process.version}`);
    process.exitCode = EXIT.failed;
    return;
  }
  const log = openMainLog({ level: 'info' });
  const args = [...process.execArgv, process.argv[1]!, 'run', '--config', file, ...(isWatching ? ['--watch'] : [])];
  const holder = new Holder({
    command: { program: process.execPath, args, environment: process.env },
    sockets: new HeldSockets(passedSockets(process.env)),
    log,
    timers: systemTimers,
    nowMs: () => performance.now(),
  });
  const terminal = new Terminal();
  let isHungUp = false;
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      if (signal !== 'SIGHUP' || !terminal.hasHungUp) holder.signal(signal);
      // The shell and the kernel each send one.
      else if (!isHungUp) holder.signal('SIGTERM');
      isHungUp = terminal.hasHungUp;
    });
  }
  process.on('SIGUSR2', () => void holder.upgrade());
  const alive = setInterval(() => undefined, FOR_EVER_MS);
  await holder.start();
  process.exitCode = await holder.ended;
  clearInterval(alive);
  log.flushNow();
  process.exit();
}
