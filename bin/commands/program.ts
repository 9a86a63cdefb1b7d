// Commands of `fairlead` (docs/design.md 7), defined with commander. Thread: main.

import { Argument, Command, Help, Option } from 'commander';
import type { Admin } from '../../core/availability.ts';
import { addAdminOptions, type AdminOptions } from './live/admin-target.ts';
import { check, explainCode } from './config/check.ts';
import { type Lookup, LOOKUPS, SHELLS, type Shell } from './completion/completion-scripts.ts';
import type { ExplainOptions } from './explain/explain.ts';
import type { CertificatesOptions } from './certificates/certificates.ts';
import type { MaintenanceOptions } from './live/maintenance.ts';
import type { ReloadOptions } from './live/reload.ts';
import { renderEditorSchema } from '../../config/schema/editor-schema.ts';
import type { AddOptions } from './live/endpoints.ts';
import type { ChangeOptions } from './live/change-endpoint.ts';
import { addStartCommands, configOption, repeated } from './program-start.ts';
import type { RolloutOptions } from './rollout/rollout-plan.ts';
import type { HealthcheckOptions } from './healthcheck/healthcheck.ts';
import type { StatusOptions } from './status/status.ts';
import type { TopOptions } from './status/top.ts';
import { why, type WhyOptions } from './explain/explain.ts';

interface CheckArguments {
  readonly config: string;
  readonly strict?: boolean;
  readonly strictDns?: boolean;
  readonly format: 'text' | 'json';
  readonly explain?: string;
}

/** Commands under their headings in `fairlead --help`. */
const HELP_GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Start:': ['run', 'quick', 'init', 'demo'],
  'Configuration:': ['check', 'config', 'schema', 'hash-password', 'trust'],
  'State of a running Fairlead:': ['status', 'top', 'why', 'explain', 'certificates', 'healthcheck'],
  'A new configuration or version:': ['reload', 'upgrade'],
  'Changes of endpoints and routes:': ['drain', 'ready', 'maintain', 'weight', 'maintenance', 'endpoints', 'rollout'],
  'Others:': ['completion', 'version', 'help'],
};

const FIRST_STEPS = `
First steps:
  fairlead quick --to http://127.0.0.1:3000   balance a server without a file
  fairlead init                               write fairlead.yaml
  fairlead run                                serve with fairlead.yaml
`;

/** Builds all commands. @param version version of Fairlead */
export function buildProgram(version: string): Command {
  const program = new Command('fairlead');
  program.description('A Layer-7 reverse proxy and load balancer.').version(version).exitOverride();
  program.showHelpAfterError('(--help lists the arguments and options)');
  // An option that may be repeated is an empty list by default, which is no value to show.
  const show = (option: Option): string =>
    Array.isArray(option.defaultValue) ? option.description : Help.prototype.optionDescription(option);
  program.configureHelp({ optionDescription: show }).helpCommand('help [command]', 'display help for command');
  addStartCommands(program, version);
  program
    .command('check')
    .description('check a configuration file and start nothing')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--strict', 'warnings fail too (exit code 3)')
    .option('--strict-dns', 'resolve the names of endpoints and DNS sources too; without it nothing is resolved')
    .addOption(new Option('--format <format>', 'text or json').choices(['text', 'json']).default('text'))
    .option('--explain <code>', 'explain a code such as FL2001 and check nothing')
    .action(async (file: string | undefined, options: CheckArguments) => {
      const { strict: isStrict = false, strictDns: resolvesNames = false, format, explain } = options;
      if (explain === undefined) await check({ file: file ?? options.config, isStrict, format, resolvesNames });
      else explainCode(explain);
    });
  program
    .command('trust')
    .description('explain how to trust the root of the internal CA (tls: internal)')
    .addOption(configOption())
    .option('--path', 'print the path of the root certificate alone')
    .action(async ({ config, path }: { config: string; path?: boolean }) =>
      (await import('./trust/trust.ts')).trust(config, path === true),
    );
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => void process.stdout.write(renderEditorSchema()));
  program
    .command('hash-password')
    .description('print the scrypt hash of a password from standard input, for basicAuth')
    .action(async () => (await import('./passwords/hash-password.ts')).printPasswordHash());
  addLiveCommands(program);
  addConfig(program);
  addCompletion(program);
  program
    .command('version')
    .description('print the version')
    .option('--json', 'with the versions of Node and its components')
    .action((options: { json?: boolean }) => printVersion(version, options.json === true));
  for (const command of new Help().visibleCommands(program)) {
    const group = Object.keys(HELP_GROUPS).find((heading) => HELP_GROUPS[heading]!.includes(command.name()));
    command.helpGroup(group!);
  }
  return program.addHelpText('after', FIRST_STEPS);
}

/** Commands that use a running Fairlead. */
function addLiveCommands(program: Command): void {
  addAdminOptions(program.command('why'))
    .description('explain the state of an endpoint of the running Fairlead')
    .argument('<endpoint>', 'upstream/host:port, or upstream/ and the path of a socket')
    .option('--json', 'print everything as JSON')
    .action((endpoint: string, options: WhyOptions) => why(endpoint, options));
  addExplain(program);
  addAdminOptions(program.command('status'))
    .description('print the complete state once')
    .option('--trouble', 'only endpoints that are not up')
    .option('--wide', 'every column, however narrow the terminal')
    .option('--json', 'print everything as JSON')
    .action(async (options: StatusOptions) => (await import('./status/status.ts')).status(options));
  addAdminOptions(program.command('top'))
    .description('show the state live; keys sort, filter, drain, and show the requests in flight')
    .option('--requests', 'begin with the requests in flight')
    .option('--frames <count>', 'exit after this many frames')
    .action(async (options: TopOptions) => (await import('./status/top.ts')).top(options));
  addAdminOptions(program.command('healthcheck'))
    .description('exit with 0 if the running Fairlead is alive, 1 if not: for containers')
    .option('--ready', 'check readiness: a process that drains is alive, but not ready')
    .action(async (options: HealthcheckOptions) => (await import('./healthcheck/healthcheck.ts')).healthcheck(options));
  addEndpointCommands(program);
  addMembershipCommands(program);
  addRollout(program);
  addAdminOptions(program.command('maintenance'))
    .description('answer 503 for a route or an upstream, or end that')
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .argument('<name>', 'of a route or an upstream; route:NAME or upstream:NAME where both have it')
    .option('--retry-after <duration>', 'when clients should come back, such as 90s, 10m or 2h; 60s if left out')
    .option('--json', 'print the reply of the admin API')
    .action(async (state: 'on' | 'off', name: string, options: MaintenanceOptions) =>
      (await import('./live/maintenance.ts')).setMaintenance(state, name, options),
    );
  const certificates = addAdminOptions(program.command('certificates'))
    .description('list the certificates, with their issuer, expiry and renewal')
    .option('--json', 'print the reply of the admin API')
    .action(async (options: CertificatesOptions) =>
      (await import('./certificates/certificates.ts')).listCertificates(options),
    );
  addAdminOptions(certificates.command('renew'))
    .description('order an automatic certificate now, also after failures')
    .argument('<name>', 'of the certificate')
    .option('--json', 'print the reply of the admin API')
    .action(async (name: string, options: CertificatesOptions) =>
      (await import('./certificates/certificates.ts')).renewCertificate(name, options),
    );
  addAdminOptions(program.command('reload'))
    .description('reload the configuration of the running Fairlead and print the changes')
    .option('--json', 'print the reply of the admin API')
    .action(async (options: ReloadOptions) => (await import('./live/reload.ts')).reload(options));
  addAdminOptions(program.command('upgrade'))
    .description('replace the process that runs under --holder without losing a connection')
    .action(async (options: AdminOptions) => (await import('./live/reload.ts')).upgrade(options));
}

interface PrintArguments extends AdminOptions {
  readonly config: string;
  readonly redact?: boolean;
  readonly defaults?: boolean;
  readonly live?: boolean;
}

function addConfig(program: Command): void {
  const config = program.command('config').description('inspect a configuration');
  addAdminOptions(config.command('print'))
    .description('print it as YAML: aliases and variables resolved, secrets shown unless --redact hides both')
    .argument('[file]', 'the configuration file')
    .addOption(configOption())
    .option('--redact', 'hide secrets and show variables by name')
    .option('--defaults', 'include the defaults of omitted keys')
    .option('--live', 'of the running Fairlead (implied by --admin): always without secrets')
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
    .addArgument(new Argument('<what>').choices(LOOKUPS))
    .action(async (what: Lookup, options: AdminOptions) =>
      (await import('./completion/completion.ts')).completeNames(what, options),
    );
}

function addExplain(program: Command): void {
  addAdminOptions(program.command('explain'))
    .description('explain where a request or TCP session would go, by the running Fairlead or by a file')
    .argument('<url>', 'URL of the request; tcp://host:port or tls://name:port for a TCP session')
    .option('-m, --method <method>', 'method of the request', 'GET')
    .option('-H, --header <line>', "header of the request, 'Name: value'; repeatable", repeated, [])
    .option('--client <address>', 'IP address of the client', '127.0.0.1')
    .option('--alpn <protocol>', 'protocol that the client of a tls:// session offers; repeatable', repeated, [])
    .option('--listener <name>', 'listener, if scheme and port of the URL do not determine it')
    .option('-c, --config <file>', 'use this file instead: every endpoint counts as up and idle')
    .option('--json', 'print everything as JSON')
    .action(async (url: string, options: ExplainOptions) =>
      (await import('./explain/explain.ts')).explainRequest(url, options),
    );
}

/** Commands that change an endpoint. */
function addEndpointCommands(program: Command): void {
  const setState = (admin: Admin) => async (endpoint: string, options: ChangeOptions) =>
    (await import('./live/change-endpoint.ts')).setState(endpoint, admin, options);
  ofEndpoint(program.command('drain'))
    .description('stop sending an endpoint new requests, except from sticky clients')
    .option('--wait', 'return when nothing is in flight at the endpoint')
    .action(setState('drain'));
  ofEndpoint(program.command('ready'))
    .description('return an endpoint from drain or maintenance to service')
    .action(setState('ready'));
  ofEndpoint(program.command('maintain'))
    .description('stop all requests and heartbeats to an endpoint')
    .option('--wait', 'return when nothing is in flight at the endpoint')
    .action(setState('maintenance'));
  ofEndpoint(program.command('weight'))
    .description('change the weight of an endpoint, or of an upstream in the split of a route, at run time')
    .argument('<weight>', "1 to 256, in splits also 0 and more, or configured to restore the file's")
    .option('--route <name>', 'change the split of this route: an upstream is named in place of an endpoint')
    .action(async (name: string, weight: string, options: ChangeOptions) => {
      const { route } = options;
      if (route === undefined) await (await import('./live/change-endpoint.ts')).setWeight(name, weight, options);
      else await (await import('./live/split-weight.ts')).setSplitWeight({ route, upstream: name, weight }, options);
    });
}

/** Commands that list endpoints, and change which there are. */
function addMembershipCommands(program: Command): void {
  const endpoints = program.command('endpoints').description('list, add and remove endpoints of upstreams at run time');
  addAdminOptions(endpoints.command('list', { isDefault: true }))
    .description('list endpoints with their origin, zone, weight, state and labels')
    .argument('[upstream]', 'only those of this upstream')
    .option('--json', 'print the reply of the admin API')
    .action(async (upstream: string | undefined, options: ChangeOptions) =>
      (await import('./live/endpoints.ts')).listEndpoints(upstream, options),
    );
  addAdminOptions(endpoints.command('add'))
    .description('add an endpoint to an upstream; kept over reloads, and over restarts with health.stateFile')
    .argument('<upstream>', 'name of the upstream')
    .argument('<url>', 'http://host:port, https://host:port, tcp://host:port, tls://host:port or unix:/path')
    .option('--weight <weight>', 'share of requests relative to the other endpoints, 1 to 256', '1')
    .option('--backup', 'use it only when the primary endpoints are insufficient')
    .option('--zone <zone>', 'name of its place, such as an availability zone')
    .option('--label <name=value>', 'a label for operators; repeatable', repeated, [])
    .option('--json', 'print the reply of the admin API')
    .action(async (upstream: string, url: string, options: AddOptions) =>
      (await import('./live/endpoints.ts')).addEndpoint(upstream, url, options),
    );
  addAdminOptions(endpoints.command('remove'))
    .description('remove an endpoint that was added; requests in flight finish')
    .argument('<endpoint>', 'upstream/host:port, or upstream/ and the path of a socket')
    .option('--json', 'print the reply of the admin API')
    .action(async (endpoint: string, options: ChangeOptions) =>
      (await import('./live/endpoints.ts')).removeEndpoint(endpoint, options),
    );
}

function addRollout(program: Command): void {
  addAdminOptions(program.command('rollout'))
    .description('replace an endpoint and its process without a lost request; roll back if the new one is not healthy')
    .argument('<upstream>', 'name of the upstream')
    .requiredOption('--old <address>', 'endpoint to replace, host:port')
    .requiredOption('--new <address>', 'endpoint that replaces it, host:port or a URL')
    .option('--start <command>', 'shell command that starts the new process and returns')
    .option('--stop <command>', 'shell command that stops the old process, when nothing is in flight there')
    .option('--rollback <command>', 'shell command that stops the new process, if the rollout fails')
    .option('--timeout <duration>', 'time for the new endpoint to become healthy', '60s')
    .option('--drain-timeout <duration>', 'stop the old process after this time even if requests are in flight')
    .option('--discovered', 'a source of the upstream adds the new endpoint: wait for it')
    .option('--json', 'print the outcome as JSON; steps and output of the commands go to standard error')
    .action(async (upstream: string, options: RolloutOptions) =>
      (await import('./rollout/rollout.ts')).rollout(upstream, options),
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
