// `fairlead config print`: prints a file or the running configuration with aliases and variables resolved.
// Thread: main.

import type { ConfigReply } from '../../../admin/api/reply-schemas.ts';
import { printedConfig, yamlOf } from '../../../config/yaml/printed-config.ts';
import { callAdmin, refusalWords } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import { loadOrTell } from './problems.ts';

export interface ConfigPrintOptions extends AdminOptions {
  readonly file: string;
  readonly isLive: boolean;
  readonly isRedacted: boolean;
  readonly hasDefaults: boolean;
}

/** Prints YAML and sets the exit code. */
export function printConfig(options: ConfigPrintOptions): Promise<void> {
  return attempt(async () => {
    if (options.isLive) await printLive(options);
    else printFile(options);
  });
}

function printFile({ file, isRedacted, hasDefaults }: ConfigPrintOptions): void {
  const config = loadOrTell(file);
  if (config !== null) process.stdout.write(printedConfig(config, { isRedacted, hasDefaults }));
}

/** The running Fairlead returns its configuration without secrets. */
async function printLive(options: ConfigPrintOptions): Promise<void> {
  if (options.hasDefaults)
    throw new UsageError('--defaults needs a file: the running Fairlead returns only written keys');
  const answer = await callAdmin(adminTarget(options), '/api/v1/config');
  if (answer.status !== 200) throw new Error(refusalWords(answer));
  const { generation, file, config, origins } = answer.body as ConfigReply;
  if (config === null) throw new Error('it runs without a configuration file');
  process.stdout.write(
    `# revision ${generation}${file === null ? '' : ` of ${JSON.stringify(file)}`}\n${yamlOf(config, origins)}`,
  );
}
