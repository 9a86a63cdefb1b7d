// Source `file`: a list of endpoints in YAML or JSON, read again whenever it changes. Thread: main.

import { hash } from 'node:crypto';
import path from 'node:path';
import { defineSource, type SourceContext, type SourceEvents } from './source.ts';

/** Characters of the digest that operators see. */
const DIGEST_CHARACTERS = 12;

interface FileSettings {
  /** Absolute. */
  readonly path: string;
}

export const file = defineSource({
  name: 'file',
  summary: 'A YAML or JSON file with a list of endpoints, watched for changes.',
  example: '{ path: endpoints.yaml }',
  options: ({ filePath }) => ({
    path: filePath('endpoints.yaml').describe(
      'File with a list of endpoints: URLs, or mappings with `url`, `weight`, `backup`, `zone` and `metadata`. It is read again when it changes.',
    ),
  }),
  compile: (options, { directory }): FileSettings => ({ path: path.resolve(directory, options.path) }),
  absence: 'no longer in the list',
  describe: (settings) => settings.path,
  start(settings, context, events) {
    const read = (): void => readList(settings.path, context, events);
    const stop = context.files.watch(settings.path, read);
    read();
    return { stop };
  },
});

/** A file that is being replaced, or that is half written, is a failure: the last good list is kept. */
function readList(name: string, { files, parseList }: SourceContext, events: SourceEvents): void {
  let text: string;
  try {
    text = files.readText(name);
  } catch (error) {
    events.fail(`the file ${name} ${(error as Error).message}`);
    return;
  }
  const list = parseList(text, name);
  if (!list.ok) {
    events.fail(list.cause);
    return;
  }
  const version = hash('sha256', text).slice(0, DIGEST_CHARACTERS);
  events.publish({ version, endpoints: list.endpoints });
}
