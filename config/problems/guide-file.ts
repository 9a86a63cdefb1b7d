// Guidance for the problems of a file as a whole, its YAML and its variables. Thread: main.

import type { Guidance } from './problem.ts';

export const FILE_GUIDE = {
  FL1001: {
    meaning: 'Nothing was checked, for the file could not be opened. The exit code is 2, not 1.',
    fix: 'Give the path of a regular file that this user may read; pipes and devices are refused, because the file is read again at every reload.',
    shell:
      'fairlead check fairlaed.yaml          # no such file\nfairlead check <(envsubst < f.yaml)   # a pipe: write it to a file first',
  },
  FL1002: {
    meaning: 'A file of more than 4 MiB is not read: 10,000 endpoints need about half a megabyte.',
    fix: 'Split endpoints over several Fairlead processes, or look for what made the file grow.',
    shell: 'ls -l fairlead.yaml                   # 10485760 bytes',
  },
  FL1003: {
    meaning: 'The file holds bytes that are no UTF-8, so that nobody can say what they mean.',
    fix: 'Save the file as UTF-8, for example with iconv.',
    shell: 'iconv -f latin1 -t utf-8 old.yaml > fairlead.yaml',
  },
  FL1004: {
    meaning: 'The file is empty or has only comments.',
    fix: 'Begin with examples/minimal.yaml.',
    shell: 'cp examples/minimal.yaml fairlead.yaml',
  },
  FL1101: {
    meaning:
      'The text is not YAML. What follows from the first mistake is often told too: begin with the first message.',
    fix: 'Look at the marked place: mostly a tab in the indentation, a quote or bracket that is never closed, or a value that needs quotes.',
    wrong: 'listeners:\n  - name: web\n    bind: [::]:443',
    right: 'listeners:\n  - name: web\n    bind: "[::]:443"',
  },
  FL1102: {
    meaning: 'Of two equal keys in one mapping only one can count, and YAML does not say which.',
    fix: 'Keep one of them. The merge key << takes a list where there are several: <<: [*one, *other].',
    wrong: 'limits:\n  head: 16KiB\n  body: 1MiB\n  head: 32KiB',
    right: 'limits:\n  head: 32KiB\n  body: 1MiB',
  },
  FL1103: {
    meaning: 'The configuration needs about ten levels of nesting; 64 are read. More is an attack or a mistake.',
    fix: 'Look for brackets or braces that are opened again and again.',
    wrong: 'x-deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
    right: 'x-deep: [[[]]]',
  },
  FL1104: {
    meaning:
      'Too many values, those behind aliases counted each time: a few lines of aliases can stand for billions of values (billion laughs).',
    fix: 'Write out what is meant; a configuration has some thousand values.',
    shell: 'yes "- *all" | head -n 1000000 >> fairlead.yaml',
  },
  FL1105: {
    meaning:
      'An alias (*name) stands for the value at its anchor (&name), which must come before it in the file and not around it.',
    fix: 'Write the anchor at the value further up; top-level keys that begin with x- are a place for such values.',
    wrong: 'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: *health',
    right:
      'x-health: &health { heartbeat: { path: /healthz } }\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: *health',
  },
  FL1106: {
    meaning:
      'The merge key << takes the entries of other mappings over; it has nothing to take from a text or a list of texts.',
    fix: 'Give it an alias of a mapping, or a list of such.',
    wrong:
      'x-path: &path /healthz\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { <<: *path } }',
    right:
      'x-beat: &beat { path: /healthz }\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { <<: *beat } }',
  },
  FL1107: {
    meaning: 'Keys are texts. __proto__ is refused as a key, because JavaScript gives it a meaning of its own.',
    fix: 'Write a name before the colon.',
    wrong: 'limits: { [head, body]: 1MiB }',
    right: 'limits: { head: 1MiB, body: 1MiB }',
  },
  FL1108: {
    meaning: 'One file is one document. A line of --- or ... begins another one, which would be left out silently.',
    fix: 'Remove the line, or keep one file for each document.',
    wrong: 'limits: { head: 32KiB }\n---\nworkers: 2',
    right: 'limits: { head: 32KiB }\nworkers: 2',
  },
  FL1109: {
    meaning: 'Tags such as !ref have no meaning in this file.',
    fix: 'Remove the tag. Values out of the environment are written as ${NAME}.',
    wrong: 'workers: !env WORKERS',
    right: 'workers: ${WORKERS:-auto}',
  },
  FL1201: {
    meaning: 'A variable that is not set is no empty text: most likely it was forgotten.',
    fix: 'Set the variable where Fairlead is started, or give a default.',
    wrong: 'listeners: [{ name: web, bind: "127.0.0.1:${PORT_THAT_IS_NOT_SET}" }]',
    right: 'listeners: [{ name: web, bind: "127.0.0.1:${PORT_THAT_IS_NOT_SET:-8080}" }]',
  },
  FL1202: {
    meaning:
      'What stands between ${ and } is no name of a variable. A dollar sign of its own needs no change, unless { comes after it.',
    fix: 'Write ${NAME} or ${NAME:-default}; $$ stands for one dollar sign.',
    wrong: 'listeners: [{ name: web, bind: "127.0.0.1:${MY PORT}" }]',
    right: 'listeners: [{ name: web, bind: "127.0.0.1:${MY_PORT:-8080}" }]',
  },
} as const satisfies Record<string, Guidance>;
