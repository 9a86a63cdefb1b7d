// The commands of `fairlead` (DESIGN section 7). Thread: main.

import { Command, CommanderError, Option } from 'commander';
import { check } from './check.ts';
import { demo } from './demo/demo.ts';
import { EXIT } from './exit-codes.ts';
import { run } from './run.ts';
import { readVersion } from './version.ts';
import { why } from './why.ts';

const configOption = (): Option => new Option('-c, --config <file>', 'the configuration file').default('fairlead.yaml');

function build(version: string): Command {
  const program = new Command('fairlead');
  program.description('A Layer-7 reverse proxy and load balancer.').version(version).exitOverride();
  program
    .command('run')
    .description('run in the foreground')
    .addOption(configOption())
    .action(async (options: { config: string }) => {
      await run({ file: options.config, version });
    });
  program
    .command('check')
    .description('check a configuration file and start nothing')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--strict', 'warnings fail too (exit code 3)')
    .action((file: string | undefined, options: { config: string; strict?: boolean }) =>
      check({ file: file ?? options.config, isStrict: options.strict === true }),
    );
  program
    .command('demo')
    .description('three small app servers with Fairlead in front of them')
    .option('--port <port>', 'port of the balancer', '8080')
    .option('--admin-port <port>', 'port of the admin API', '9900')
    .action((options: { port: string; adminPort: string }) => demo({ ...options, version }));
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
