// The commands of `fairlead` (docs/design.md 7), as commander has them. Thread: main.

import { Argument, Command, Option } from 'commander';
import type { Admin } from '../../core/availability.ts';
import { addAdminOptions, type AdminOptions } from './live/admin-target.ts';
import { check } from './config/check.ts';
import { SHELLS, type Shell } from './completion/completion-scripts.ts';
import { explainCode } from './config/explain-code.ts';
import type { ExplainOptions } from './explain/explain.ts';
import type { ReloadOptions } from './live/reload.ts';
import { printSchema } from './config/schema.ts';
import type { ChangeOptions } from './live/change-endpoint.ts';
import type { StatusOptions } from './status/status.ts';
import type { TopOptions } from './status/top.ts';
import { why, type WhyOptions } from './explain/why.ts';

const configOption = (): Option => new Option('-c, --config <file>', 'the configuration file').default('fairlead.yaml');

interface RunArguments {
  readonly config: string;
  readonly watch?: boolean;
  readonly holder?: boolean;
  readonly pidFile?: string;
}

interface CheckArguments {
  readonly config: string;
  readonly strict?: boolean;
  readonly format: 'text' | 'json';
  readonly explain?: string;
}

/** All commands. @param version of Fairlead */
export function buildProgram(version: string): Command {
  const program = new Command('fairlead');
  program.description('A Layer-7 reverse proxy and load balancer.').version(version).exitOverride();
  program
    .command('run')
    .description('run in the foreground')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--watch', 'reload when the file, or one that it names, changes')
    .option('--holder', 'keep the sockets in a process of their own, so that `upgrade` loses no connection')
    .option('--pid-file <file>', 'write the pid of the process that takes signals')
    .action(async (given: string | undefined, options: RunArguments) => {
      const file = given ?? options.config;
      if (options.pidFile !== undefined) (await import('./run/pid-file.ts')).writePidFile(options.pidFile);
      // Loaded when it is needed: the other commands don't wait for the whole proxy.
      if (options.holder === true) await (await import('./run/hold.ts')).hold(file, options.watch === true);
      else await (await import('./run/run.ts')).run({ file, version, isWatching: options.watch === true });
    });
  program
    .command('check')
    .description('check a configuration file and start nothing')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--strict', 'warnings fail too (exit code 3)')
    .addOption(new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text'))
    .option('--explain <code>', 'say what a code such as FL2001 means, and check nothing')
    .action((file: string | undefined, options: CheckArguments) => {
      if (options.explain === undefined)
        check({ file: file ?? options.config, isStrict: options.strict === true, format: options.format });
      else explainCode(options.explain);
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => printSchema());
  program
    .command('demo')
    .description('three small app servers with Fairlead in front of them')
    .option('--port <port>', 'port of the balancer', '8080')
    .option('--admin-port <port>', 'port of the admin API', '9900')
    .action(async (options: { port: string; adminPort: string }) => {
      const { demo } = await import('./demo/demo.ts');
      await demo({ ...options, version });
    });
  addLiveCommands(program);
  addConfig(program);
  addCompletion(program);
  program
    .command('version')
    .description('print the version')
    .option('--json', 'with the versions of Node and of what is in it')
    .action((options: { json?: boolean }) => printVersion(version, options.json === true));
  return program;
}

/** What speaks to a Fairlead that runs. */
function addLiveCommands(program: Command): void {
  addAdminOptions(program.command('why'))
    .description('why an endpoint is in or out, asked of the Fairlead that runs')
    .argument('<endpoint>', 'upstream/host:port, or upstream/ and the path of a socket')
    .option('--json', 'print everything as JSON')
    .action((endpoint: string, options: WhyOptions) => why(endpoint, options));
  addExplain(program);
  addAdminOptions(program.command('status'))
    .description('the state of everything, once')
    .option('--trouble', 'only what is not up')
    .option('--json', 'print everything as JSON')
    .action(async (options: StatusOptions) => (await import('./status/status.ts')).status(options));
  addAdminOptions(program.command('top'))
    .description('the state of everything, live; t shows only what is not up, q ends')
    .option('--frames <count>', 'end after that many')
    .action(async (options: TopOptions) => (await import('./status/top.ts')).top(options));
  addEndpointCommands(program);
  addAdminOptions(program.command('reload'))
    .description('have the one that runs load its configuration again, and tell what changed')
    .option('--json', 'print the answer of the admin API')
    .action(async (options: ReloadOptions) => (await import('./live/reload.ts')).reload(options));
  addAdminOptions(program.command('upgrade'))
    .description('have the next process take over from the one that runs under --holder')
    .action(async (options: AdminOptions) => (await import('./live/upgrade.ts')).upgrade(options));
}

interface PrintArguments extends AdminOptions {
  readonly config: string;
  readonly redact?: boolean;
  readonly defaults?: boolean;
  readonly live?: boolean;
}

function addConfig(program: Command): void {
  const config = program.command('config').description('the configuration, for people to look at');
  addAdminOptions(config.command('print'))
    .description('print it as YAML: aliases resolved, variables put in, secrets shown unless --redact hides both')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--redact', 'hide secrets, and show variables by their names')
    .option('--defaults', 'with what is left out, as it holds')
    .option('--live', 'of the Fairlead that runs (as --admin does): always without secrets')
    .action(async (file: string | undefined, options: PrintArguments, command: Command) => {
      const { redact = false, defaults = false, live = false } = options;
      const isLive = live || command.getOptionValueSource('admin') === 'cli';
      const chosen = { file: file ?? options.config, isLive, isRedacted: redact, hasDefaults: defaults };
      await (await import('./config/config-print.ts')).printConfig({ ...options, ...chosen });
    });
}

function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes command lines: source <(fairlead completion bash)')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .action(async (shell: Shell) => (await import('./completion/completion.ts')).printCompletion(shell, program));
  addAdminOptions(program.command('__complete', { hidden: true }))
    .addArgument(new Argument('<what>').choices(['endpoints']))
    .action(async (_what: string, options: AdminOptions) =>
      (await import('./completion/completion.ts')).completeEndpoints(options),
    );
}

function addExplain(program: Command): void {
  const several = (line: string, before: readonly string[]): string[] => [...before, line];
  addAdminOptions(program.command('explain'))
    .description('where a request would go, and why: asked of the Fairlead that runs, or of a file')
    .argument('<url>', 'of the request')
    .option('-m, --method <method>', 'its method', 'GET')
    .option('-H, --header <line>', "one of its headers, 'Name: value'; may be given several times", several, [])
    .option('--client <address>', 'IP address of who connects', '127.0.0.1')
    .option('--listener <name>', 'where the URL does not say it by scheme and port')
    .option('-c, --config <file>', 'ask this file: every endpoint counts as up and idle')
    .option('--json', 'print everything as JSON')
    .action(async (url: string, options: ExplainOptions) =>
      (await import('./explain/explain.ts')).explainRequest(url, options),
    );
}

/** What changes an endpoint: each takes its name. */
function addEndpointCommands(program: Command): void {
  const setState = (admin: Admin) => async (endpoint: string, options: ChangeOptions) =>
    (await import('./live/change-endpoint.ts')).setState(endpoint, admin, options);
  ofEndpoint(program.command('drain'))
    .description('send an endpoint no more requests, but of clients that stick to it')
    .option('--wait', 'return when nothing is in flight there')
    .action(setState('drain'));
  ofEndpoint(program.command('ready'))
    .description('take an endpoint back from drain or maintenance')
    .action(setState('ready'));
  ofEndpoint(program.command('maintain'))
    .description('send an endpoint nothing at all, no heartbeats either')
    .option('--wait', 'return when nothing is in flight there')
    .action(setState('maintenance'));
  ofEndpoint(program.command('weight'))
    .description('give an endpoint another weight while Fairlead runs')
    .argument('<weight>', '1 to 256, or configured for the one in the file')
    .action(async (endpoint: string, weight: string, options: ChangeOptions) =>
      (await import('./live/change-endpoint.ts')).setWeight(endpoint, weight, options),
    );
}

function ofEndpoint(command: Command): Command {
  return addAdminOptions(command)
    .argument('<endpoint>', 'upstream/host:port, or upstream/ and the path of a socket')
    .option('--json', 'print the endpoint as JSON');
}

function printVersion(version: string, isJson: boolean): void {
  const { node, v8, openssl } = process.versions;
  const { platform, arch } = process;
  console.log(isJson ? JSON.stringify({ name: 'fairlead', version, node, v8, openssl, platform, arch }) : version);
}
