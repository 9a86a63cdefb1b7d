// Renders the configuration reference as Markdown from the schema. Thread: main.

import { knownKeys, type KnownKey } from '../../config/schema/known-keys.ts';
import { PROBLEM_CODES } from '../../config/problems/problem.ts';
import {
  defaultText,
  entriesOf,
  expectsOf,
  isOptional,
  itemOf,
  metaOf,
  scalarKinds,
} from '../../config/schema/schema-tree.ts';

const INTRODUCTION = `# Configuration reference

Generated from the schema by \`node scripts/generate-config-reference.ts\`; do not edit. Examples are in \`examples/\`,
and \`fairlead check FILE\` tells everything that is wrong with a file, with its place. Editors read
\`fairlead.schema.json\`, which \`fairlead schema\` prints.

- In key paths, \`*\` stands for a name of your choice and \`[]\` for an item of a list.
- Durations are a number and a unit: \`500ms\`, \`2s\`, \`5m\`, \`1h\`, \`1d\`. Sizes are \`512B\`, \`64KiB\`, \`10MiB\`, \`1GiB\`.
  \`none\` stands for no limit where the table says so.
- \`\${NAME}\` in a value is the environment variable NAME, \`\${NAME:-default}\` gives a default, and \`$$\` is a dollar sign.
  Inside \`[ ]\` and \`{ }\` such a value needs quotes. A variable never brings YAML structure of its own.
- Paths of files are relative to the directory of the configuration file.
- An unknown key is an error. Top-level keys that begin with \`x-\` are left out: a place for YAML anchors, which may be
  used with \`*name\` and merged with \`<<: *name\`.
`;

/** Renders the page. */
export function renderReference(): string {
  const keys = knownKeys();
  const sections = keys.filter((key) => !key.path.includes('.')).map((key) => renderSection(key, keys));
  return [INTRODUCTION, ...sections, renderCodes()].join('\n');
}

function renderSection(top: KnownKey, keys: readonly KnownKey[]): string {
  const { description = '' } = metaOf(top.schema);
  const isMapping = entriesOf(top.schema).size > 0 || itemOf(top.schema) !== null;
  const rows = isMapping
    ? keys.filter((key) => key.path.startsWith(`${top.path}.`) || key.path.startsWith(`${top.path}[`))
    : [top];
  const table = ['| key | takes | default | meaning |', '|---|---|---|---|', ...withoutTwins(rows).map(renderRow)];
  const lead = isMapping ? `${description}${isOptional(top.schema) ? '' : ' Required.'}\n\n` : '';
  return `## ${top.path}\n\n${lead}${table.join('\n')}\n`;
}

/** Removes duplicates: a key that may be a single value or a list is in the schema twice. */
function withoutTwins(keys: readonly KnownKey[]): readonly KnownKey[] {
  const paths = new Set(keys.map((key) => key.path));
  return keys.filter((key) => {
    const item = key.path.lastIndexOf('[]');
    return item === -1 || !paths.has(key.path.slice(0, item) + key.path.slice(item + 2));
  });
}

function renderRow({ path, schema }: KnownKey): string {
  const { description = '' } = metaOf(schema);
  return `| ${[`\`${path}\``, cell(expectsOf(schema)), defaultCell(path, schema), cell(description)].join(' | ')} |`;
}

function defaultCell(path: string, schema: KnownKey['schema']): string {
  const text = defaultText(schema);
  if (text !== undefined) return text === '' ? 'empty' : `\`${cell(text)}\``;
  if (isOptional(schema) || path.endsWith('.*')) return '';
  return scalarKinds(schema).size > 0 || itemOf(schema) !== null ? 'required' : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function renderCodes(): string {
  const rows = Object.entries(PROBLEM_CODES).map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`);
  return `## Codes of problems

Codes that begin with FL9 are warnings, all others errors. A code never changes its meaning. Each with an example and
what to do: [config-errors.md](config-errors.md).

| code | meaning |
|---|---|
${rows.join('\n')}
`;
}
