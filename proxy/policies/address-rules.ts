// Policies: who may use a route or a listener, by the address of the client behind trusted proxies. Blocks come from the
// configuration and from files; the longest block that contains the address decides. Thread: both.

import { AddressTable, type AddressRanges, compileRanges, type RuledBlock, VERDICT } from '../../core/address-table.ts';
import { parseCidr } from '../../core/cidr.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { CausedReply } from '../../core/policy/policy.ts';
import type { CompileContext, ExplainedExchange } from '../../core/policy/policy-definition.ts';
import { builtIn } from './built-in.ts';

const DENIED: CausedReply = { cause: 'address-denied' };
/** Stands for clients over Unix sockets, which have no address. */
const UNIX = 'unix:';
/** Prefix of the path of a file with one block a line. */
const FILE = 'file:';
/** Problems of one file that are reported. */
const MOST_PROBLEMS = 5;

/** Data of the policy in a Snapshot. */
export interface AddressRulesData {
  readonly rules: {
    readonly ranges: AddressRanges;
    /** Verdict on clients without an address. */
    readonly unix: number;
    /** Whether clients in no block are allowed. */
    readonly allowsOthers: boolean;
  };
}

export const addressRules = builtIn({ name: 'address-rules', scope: 'route', ...rulesFor('of this route') });

export const listenerAddressRules = builtIn({
  name: 'listener-address-rules',
  scope: 'listener',
  ...rulesFor('of all routes of this listener'),
});

function rulesFor(where: string) {
  return {
    stage: 'admit' as const,
    needs: ['reply' as const],
    options: (schemas: OptionSchemas) => ruleOptions(schemas, where),
    compile: compileRules,
    create: ({ rules }: AddressRulesData) => {
      const isAllowed = addressMatcher({ rules });
      return {
        onRequest: ({ clientAddress }: { clientAddress: string }) => (isAllowed(clientAddress) ? undefined : DENIED),
      };
    },
    explain: ({ rules }: AddressRulesData, { clientAddress }: ExplainedExchange): string => {
      const client = clientAddress === '' ? 'a client over a Unix socket' : clientAddress;
      return addressMatcher({ rules })(clientAddress) ? `allows ${client}` : `refuses ${client} (403)`;
    },
  };
}

function ruleOptions({ cidr, text, oneOrMany }: OptionSchemas, where: string) {
  const entry = text(
    (given) => {
      const isFile = given.startsWith(FILE) && given.length > FILE.length;
      if (isFile || given === UNIX || cidr().safeParse(given).success) return { ok: true, value: given };
      const forms = `write 10.0.0.0/8, fd00::/8, a single address, ${FILE}PATH or ${UNIX}`;
      return { ok: false, message: `${JSON.stringify(given)} is not an address block: ${forms}` };
    },
    { expects: 'an address block or file:PATH', example: '10.0.0.0/8' },
  );
  const list = () => oneOrMany(entry).optional();
  return {
    allow: list().describe(
      `Addresses of clients that may send requests ${where}; all others are answered 403. \`file:PATH\` reads blocks from a file, one a line; \`unix:\` stands for clients over Unix sockets.`,
    ),
    deny: list().describe(
      `Addresses of clients whose requests ${where} are answered 403. Of blocks in \`allow\` and \`deny\` the longest one that contains the address decides.`,
    ),
  };
}

type RuleOptions = OptionsOf<ReturnType<typeof ruleOptions>>;

function compileRules({ allow, deny }: RuleOptions, context: CompileContext): AddressRulesData | null {
  if (allow === undefined && deny === undefined) return null;
  const blocks: RuledBlock[] = [];
  let unix: number = VERDICT.none;
  for (const [key, entries] of [
    ['allow', allow ?? []],
    ['deny', deny ?? []],
  ] as const) {
    for (const [index, entry] of entries.entries()) {
      const isFile = entry.startsWith(FILE);
      for (const block of isFile ? blocksOfFile(entry.slice(FILE.length), [key, index], context) : [entry]) {
        if (block === UNIX) unix = VERDICT[key];
        else blocks.push({ block, verdict: VERDICT[key] });
      }
    }
  }
  return { rules: { ranges: compileRanges(blocks), unix, allowsOthers: allow === undefined } };
}

/** Blocks of a file; reports the lines that have none. */
function blocksOfFile(
  file: string,
  path: readonly (string | number)[],
  { readFile, report }: CompileContext,
): string[] {
  const text = readFile(file, path);
  const blocks: string[] = [];
  let problems = 0;
  for (const [index, line] of (text ?? '').split(/\r?\n/).entries()) {
    const written = line.replace(/#.*/, '').trim();
    if (written === '') continue;
    if (written === UNIX || parseCidr(written) !== null) blocks.push(written);
    else if (++problems <= MOST_PROBLEMS) {
      const shown = JSON.stringify(written.slice(0, 60));
      report({
        path,
        code: 'FL3012',
        message: `${file} line ${index + 1}: ${shown} is not an address or address block`,
      });
    }
  }
  return blocks;
}

/** Builds the test of an address; '' is a client over a Unix socket. */
export function addressMatcher({ rules }: AddressRulesData): (address: string) => boolean {
  const { ranges, unix, allowsOthers } = rules;
  const table = new AddressTable(ranges);
  return (address) => {
    const verdict = address === '' ? unix : table.find(address);
    return verdict === VERDICT.none ? allowsOthers : verdict === VERDICT.allow;
  };
}
