// `fairlead config print`: the configuration with aliases and variables resolved, of a file or of the one that runs.
// Thread: main.

import type { ConfigReply } from '../../admin/reply-schemas.ts';
import { loadConfig } from '../../config/load.ts';
import { printedConfig, yamlOf } from '../../config/printed-config.ts';
import { askAdmin, refusalWords } from './admin-client.ts';
import { type AdminOptions, adminTarget } from './admin-target.ts';
import { attempt, UsageError } from './attempt.ts';
import { EXIT } from './exit-codes.ts';
import { printProblems } from './problems.ts';

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
  const loaded = loadConfig(file, process.env);
  if (loaded.ok) {
    process.stdout.write(printedConfig(loaded.config, { isRedacted, hasDefaults }));
    return;
  }
  printProblems(loaded.problems);
  process.exitCode = loaded.isReadable ? EXIT.invalid : EXIT.usage;
}

/** The one that runs gives its configuration without secrets only. */
async function printLive(options: ConfigPrintOptions): Promise<void> {
  if (options.hasDefaults) throw new UsageError('--defaults is for a file: the one that runs tells what is written');
  const answer = await askAdmin(adminTarget(options), '/api/v1/config');
  if (answer.status !== 200) throw new Error(refusalWords(answer));
  const { generation, file, config } = answer.body as ConfigReply;
  if (config === null) throw new Error('it runs without a configuration file');
  process.stdout.write(
    `# generation ${generation}${file === null ? '' : ` of ${JSON.stringify(file)}`}\n${yamlOf(config)}`,
  );
}
