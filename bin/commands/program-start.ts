// Commands that start Fairlead, or prepare a start: run, quick, init, demo. Thread: main.

import { type Command, Option } from 'commander';
import type { InitOptions } from './init/init.ts';
import type { QuickOptions } from './quick/quick.ts';

interface RunArguments {
  readonly config: string;
  readonly watch?: boolean;
  readonly holder?: boolean;
  readonly pidFile?: string;
}

/** `-c`, `--config`. */
export const configOption = (): Option =>
  new Option('-c, --config <file>', 'the configuration file').default('fairlead.yaml');

/** Collects the values of an option that may be given several times. */
export function repeated(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** Adds the commands. @param version version of Fairlead */
export function addStartCommands(program: Command, version: string): void {
  program
    .command('run')
    .description('run in the foreground')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--watch', 'reload when the file or one that it names changes')
    .option('--holder', 'keep the sockets in a separate process, so that `upgrade` loses no connection')
    .option('--pid-file <file>', 'write the pid of the process that takes signals')
    .action(async (given: string | undefined, options: RunArguments) => {
      const file = given ?? options.config;
      if (options.pidFile !== undefined) (await import('./run/signals.ts')).writePidFile(options.pidFile);
      // Imported on demand, so that other commands do not load the whole proxy.
      if (options.holder === true) await (await import('./run/hold.ts')).hold(file, options.watch === true);
      else await (await import('./run/run.ts')).run({ file, version, isWatching: options.watch === true });
    });
  addFirstSteps(program, version);
}

/** Commands for the first minutes. */
function addFirstSteps(program: Command, version: string): void {
  program
    .command('quick')
    .description('balance endpoints without a configuration file')
    .option('--listen <address>', 'where clients connect: :8080, 127.0.0.1:8080 or unix:/path', ':8080')
    .option('--to <url>', 'URL of an endpoint; repeatable', repeated, [])
    .option('--health <path>', 'path of the heartbeat, such as /healthz; without it heartbeats only connect')
    .option('--admin-port <port>', 'port of the admin API on this machine, or none', '9900')
    .action(async (options: Omit<QuickOptions, 'version'>) =>
      (await import('./quick/quick.ts')).quick({ ...options, version }),
    );
  program
    .command('init')
    .description('write a first configuration file; asks at a terminal')
    .argument('[file]', 'the file to write; never overwritten', 'fairlead.yaml')
    .option('--upstream <url>', 'URL of an endpoint; repeatable', repeated, [])
    .option('--domain <host>', 'host name of the site; repeatable', repeated, [])
    .option('--listen <address>', 'where clients connect; default: :8080, with TLS :8443')
    .option('--health <path>', 'path of the heartbeat, such as /healthz')
    .option('--cert <file>', 'certificate for TLS, PEM')
    .option('--key <file>', 'its private key, PEM')
    .action(async (file: string, options: InitOptions) => (await import('./init/init.ts')).init(file, options));
  program
    .command('demo')
    .description(
      'run small app servers behind Fairlead; at a terminal with a load, and keys that break and repair them',
    )
    .option('--port <port>', 'port of the balancer', '8080')
    .option('--admin-port <port>', 'port of the admin API', '9900')
    .action(async (options: { port: string; adminPort: string }) => {
      const { demo } = await import('./demo/demo.ts');
      await demo({ ...options, version });
    });
}
