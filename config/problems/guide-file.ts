// Guidance for problems of the file as a whole, its YAML and its variables. Thread: main.

import type { Guidance } from './problem.ts';

export const FILE_GUIDE = {
  FL1001: {
    meaning: 'The file could not be opened, so nothing was checked. The exit code is 2, not 1.',
    fix: 'Give the path of a regular file that this user may read. Pipes and devices are refused, because the file is read again at every reload.',
    shell:
      'fairlead check fairlaed.yaml          # no such file\nfairlead check <(envsubst < f.yaml)   # a pipe: write it to a file first',
  },
  FL1002: {
    meaning: 'Files larger than 4 MiB are refused: 10,000 endpoints need about half a megabyte.',
    fix: 'Split the endpoints over several Fairlead processes, or find out why the file grew.',
    shell: 'ls -l fairlead.yaml                   # 10485760 bytes',
  },
  FL1003: {
    meaning: 'The file contains bytes that are not valid UTF-8, so its text is ambiguous.',
    fix: 'Save the file as UTF-8, for example with iconv.',
    shell: 'iconv -f latin1 -t utf-8 old.yaml > fairlead.yaml',
  },
  FL1004: {
    meaning: 'The file is empty or contains only comments.',
    fix: 'Start from examples/minimal.yaml.',
    shell: 'cp examples/minimal.yaml fairlead.yaml',
  },
  FL1005: {
    meaning: 'The file is a configuration of nginx, HAProxy, Caddy, Traefik, Envoy, Compose or Kubernetes.',
    fix: 'Write a Fairlead configuration; haproxy-compat.md maps the keywords of HAProxy.',
    wrong: 'server {\n  listen 80;\n  location / { proxy_pass http://10.0.0.1:3000; }\n}',
    right:
      'listeners: [{ name: web, bind: 127.0.0.1:8080 }]\nroutes: [{ upstream: app }]\nupstreams: { app: { endpoints: [http://10.0.0.1:3000], health: { heartbeat: { path: /healthz } } } }',
  },
  FL1006: {
    meaning:
      'An include, or its pattern, matches a file that is part of the configuration already. Its routes would exist twice, or reading would never end.',
    fix: 'Include each file once, and keep the main file outside of the folders that patterns match.',
    shell: "printf 'include: [fairlead.yaml]\\n' >> fairlead.yaml   # the file includes itself",
  },
  FL1101: {
    meaning:
      'The text is not valid YAML. Later messages are often consequences of the first error: start with the first message.',
    fix: 'Check the marked text. Common causes are a tab in the indentation, an unclosed quote or bracket, and a value that needs quotes.',
    wrong: 'listeners:\n  - name: web\n    bind: [::]:443',
    right: 'listeners:\n  - name: web\n    bind: "[::]:443"',
  },
  FL1102: {
    meaning: 'A mapping has the same key twice, and only one of the values could take effect.',
    fix: 'Keep one of them. To merge several mappings, give the merge key << a list: <<: [*one, *other].',
    wrong: 'limits:\n  head: 16KiB\n  body: 1MiB\n  head: 32KiB',
    right: 'limits:\n  head: 32KiB\n  body: 1MiB',
  },
  FL1103: {
    meaning:
      'A configuration needs about ten levels of nesting, and up to 64 are accepted. More is an attack or a mistake.',
    fix: 'Look for repeated opening brackets or braces.',
    wrong: 'x-deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
    right: 'x-deep: [[[]]]',
  },
  FL1104: {
    meaning:
      'The file has too many values. Each use of an alias counts all values of its target, because a few lines of aliases can expand to billions of values (billion laughs).',
    fix: 'Reduce the use of aliases; a configuration has a few thousand values.',
    shell: 'yes "- *all" | head -n 1000000 >> fairlead.yaml',
  },
  FL1105: {
    meaning:
      'An alias (*name) refers to the value at its anchor (&name). The anchor must come earlier in the file, and the alias must not be inside that value.',
    fix: 'Put the anchor at an earlier value. Top-level keys that begin with x- are ignored and can hold such values.',
    wrong: 'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: *health',
    right:
      'x-health: &health { heartbeat: { path: /healthz } }\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: *health',
  },
  FL1106: {
    meaning:
      'The merge key << copies the entries of other mappings, so its value must be a mapping or a list of mappings.',
    fix: 'Give it an alias of a mapping, or a list of such aliases.',
    wrong:
      'x-path: &path /healthz\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { <<: *path } }',
    right:
      'x-check: &check { path: /healthz }\nupstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { <<: *check } }',
  },
  FL1107: {
    meaning: 'Keys must be text. The key __proto__ is refused, because it has a special meaning in JavaScript.',
    fix: 'Write a name before the colon.',
    wrong: 'limits: { [head, body]: 1MiB }',
    right: 'limits: { head: 1MiB, body: 1MiB }',
  },
  FL1108: {
    meaning:
      'A configuration file is one YAML document. A line with --- or ... starts another one, which would be ignored.',
    fix: 'Remove the line, or use one file for each document.',
    wrong: 'limits: { head: 32KiB }\n---\nworkers: 2',
    right: 'limits: { head: 32KiB }\nworkers: 2',
  },
  FL1109: {
    meaning: 'Tags such as !ref are not supported.',
    fix: 'Remove the tag. Write values from the environment as ${NAME}.',
    wrong: 'workers: !env WORKERS',
    right: 'workers: ${WORKERS:-auto}',
  },
  FL1201: {
    meaning:
      'The environment variable is not set. It is not replaced by empty text, because it was probably forgotten.',
    fix: 'Set the variable in the environment of Fairlead, or give a default.',
    wrong: 'listeners: [{ name: web, bind: "127.0.0.1:${PORT_THAT_IS_NOT_SET}" }]',
    right: 'listeners: [{ name: web, bind: "127.0.0.1:${PORT_THAT_IS_NOT_SET:-8080}" }]',
  },
  FL1202: {
    meaning: 'The text between ${ and } is not a variable name. A dollar sign needs no escaping unless { follows it.',
    fix: 'Write ${NAME} or ${NAME:-default}; $$ is a literal dollar sign.',
    wrong: 'listeners: [{ name: web, bind: "127.0.0.1:${MY PORT}" }]',
    right: 'listeners: [{ name: web, bind: "127.0.0.1:${MY_PORT:-8080}" }]',
  },
} as const satisfies Record<string, Guidance>;
