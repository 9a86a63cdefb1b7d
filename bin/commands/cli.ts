// The commands of `fairlead` (DESIGN section 7). Thread: main.

import { Command, CommanderError, Option } from 'commander';
import { check } from './check.ts';
import { EXIT } from './exit-codes.ts';
import { readVersion } from './version.ts';
import { why } from './why.ts';

const configOption = (): Option => new Option('-c, --config <file>', 'the configuration file').default('fairlead.yaml');

interface CheckArguments {
  readonly config: string;
  readonly strict?: boolean;
  readonly format: 'text' | 'json';
}

function build(version: string): Command {
  const program = new Command('fairlead');
  program.description('A Layer-7 reverse proxy and load balancer.').version(version).exitOverride();
  program
    .command('run')
    .description('run in the foreground')
    .addOption(configOption())
    .option('--holder', 'keep the sockets in a process of their own, so that `upgrade` loses no connection')
    .option('--pid-file <file>', 'write the pid of the process that takes signals')
    .action(async (options: { config: string; holder?: boolean; pidFile?: string }) => {
      if (options.pidFile !== undefined) (await import('./pid-file.ts')).writePidFile(options.pidFile);
      // Loaded when it is needed: the other commands don't wait for the whole proxy.
      if (options.holder === true) await (await import('./hold.ts')).hold(options.config);
      else await (await import('./run.ts')).run({ file: options.config, version });
    });
  program
    .command('check')
    .description('check a configuration file and start nothing')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--strict', 'warnings fail too (exit code 3)')
    .addOption(new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text'))
    .action((file: string | undefined, options: CheckArguments) =>
      check({ file: file ?? options.config, isStrict: options.strict === true, format: options.format }),
    );
  program
    .command('demo')
    .description('three small app servers with Fairlead in front of them')
    .option('--port <port>', 'port of the balancer', '8080')
    .option('--admin-port <port>', 'port of the admin API', '9900')
    .action(async (options: { port: string; adminPort: string }) => {
      const { demo } = await import('./demo/demo.ts');
      await demo({ ...options, version });
    });
  program
    .command('why')
    .description('why an endpoint is in or out, asked of the Fairlead that runs')
    .argument('<endpoint>', 'upstream/host:port, or upstream/ and the path of a socket')
    .option('--admin <address>', 'where the admin API listens: host:port or unix:/path', '127.0.0.1:9900')
    .option('--json', 'print everything as JSON')
    .action((endpoint: string, options: { admin: string; json?: boolean }) =>
      why({ endpoint, admin: options.admin, isJson: options.json === true }),
    );
  program
    .command('upgrade')
    .description('have the next process take over from the one that runs under --holder')
    .option('--admin <address>', 'where the admin API listens: host:port or unix:/path', '127.0.0.1:9900')
    .action(async (options: { admin: string }) => (await import('./upgrade.ts')).upgrade(options.admin));
  program
    .command('version')
    .description('print the version')
    .action(() => console.log(version));
  return program;
}

/** Runs the command line. Sets the exit code; what runs on keeps the process alive. */
async function main(): Promise<void> {
  const version = await readVersion();
  try {
    await build(version).parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    else {
      console.error(`fairlead: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = EXIT.failed;
    }
  }
}

await main();
