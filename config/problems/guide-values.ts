// Guidance for invalid values, contradictions between values, and referenced files. Thread: main.

import type { Guidance } from './problem.ts';

export const VALUE_GUIDE = {
  FL2001: {
    meaning: 'The key is unknown here. If it were ignored, a misspelt setting would silently keep its default.',
    fix: 'Use the suggestion, or one of the keys listed in the message. Top-level keys that begin with x- are ignored and can hold notes and anchors.',
    wrong: 'timeouts: { keepalive-time: 60s }',
    right: 'timeouts: { keepAlive: 60s }',
  },
  FL2002: {
    meaning: 'The key is required: it has no default.',
    fix: 'Add it; the message contains an example.',
    wrong: 'listeners: [{ name: web }]',
    right: 'listeners: [{ name: web, bind: 127.0.0.1:8080 }]',
  },
  FL2004: {
    meaning: 'The value has the wrong type, for example a list instead of a mapping, or a number instead of text.',
    fix: 'Write a value of the form that the message names; often quotes or a unit are missing.',
    wrong: 'timeouts: { head: 15 }',
    right: 'timeouts: { head: 15s }',
  },
  FL2005: {
    meaning: 'The value has the right type but is too small, too large, or not among the allowed words.',
    fix: 'Choose a value within the bounds that the message names.',
    wrong: 'workers: 100',
    right: 'workers: 64',
  },
  FL2006: {
    meaning: 'A duration, size, address, path or name is malformed.',
    fix: 'Write it in the form that the message shows.',
    wrong: 'listeners: [{ name: web, bind: "8080" }]',
    right: 'listeners: [{ name: web, bind: ":8080" }]',
  },
  FL2008: {
    meaning:
      'A name in braces is no value of an exchange, or one that is not known at this place: the endpoint, for example, is chosen after a redirect.',
    fix: 'Use a name of docs/policies/values.md. Write {{name}} for the text {name}.',
    wrong: 'routes: [{ upstream: app, requestHeaders: { set: { x-host: "{hots}" } } }]',
    right: 'routes: [{ upstream: app, requestHeaders: { set: { x-host: "{host}" } } }]',
  },
  FL2007: {
    meaning: 'The list must have at least one entry.',
    fix: 'Add an entry, or remove the key if it is optional.',
    wrong: 'upstreams: { app: { endpoints: [], health: { heartbeat: false } } }',
    right: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000], health: { heartbeat: false } } }',
  },
  FL3001: {
    meaning: 'A route refers to an upstream that does not exist.',
    fix: 'Correct the name or add the upstream.',
    wrong: 'routes: [{ upstream: ap }]',
    right: 'routes: [{ upstream: app }]',
  },
  FL3002: {
    meaning: 'A route refers to a listener that does not exist.',
    fix: 'Correct the name or add the listener.',
    wrong: 'routes: [{ match: { listener: wbe }, upstream: app }]',
    right: 'routes: [{ match: { listener: web }, upstream: app }]',
  },
  FL3003: {
    meaning: 'Two objects of the same kind have the same name. Names identify them in logs, metrics and the admin API.',
    fix: 'Rename one of them.',
    wrong: 'routes:\n  - { name: all, match: { path: /a }, upstream: app }\n  - { name: all, upstream: app }',
    right: 'routes:\n  - { name: a, match: { path: /a }, upstream: app }\n  - { name: all, upstream: app }',
  },
  FL3004: {
    meaning: 'An address can be bound only once. [::] accepts IPv4 as well, so it conflicts with 0.0.0.0.',
    fix: 'Change the port or the host of one of them.',
    wrong: 'listeners:\n  - { name: web, bind: 0.0.0.0:8080 }\n  - { name: six, bind: "[::]:8080" }',
    right: 'listeners:\n  - { name: web, bind: "[::]:8080" }',
  },
  FL3005: {
    meaning: 'An endpoint is identified by its address: a duplicate would share its health and counters.',
    fix: 'Remove the duplicate; to give an endpoint a larger share, set weight.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [{ url: http://10.0.0.1:3000, weight: 2 }, http://10.0.0.2:3000]\n    health: { heartbeat: { path: /healthz } }',
  },
  FL3006: {
    meaning: 'A route must have exactly one of upstream, respond and redirect.',
    fix: 'Keep exactly one of them.',
    wrong: 'routes:\n  - { match: { path: /old }, upstream: app, respond: { status: 410 } }\n  - { upstream: app }',
    right: 'routes:\n  - { match: { path: /old }, respond: { status: 410 } }\n  - { upstream: app }',
  },
  FL3007: {
    meaning: 'The key is valid here, but not together with another key that is set.',
    fix: 'Remove one of the two keys.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    balance: { strategy: random, seed: 7 }\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    balance: { strategy: consistent-hash, seed: 7 }\n    health: { heartbeat: { path: /healthz } }',
  },
  FL3008: {
    meaning: 'Two values contradict each other.',
    fix: 'Change one of them as the message suggests.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz, interval: 2s, timeout: 5s } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz, interval: 5s, timeout: 5s } }',
  },
  FL3009: {
    meaning:
      'The field describes the connection, the message framing or the client, and Fairlead sets it itself. Changing it could make an endpoint read one message as two (request smuggling).',
    fix: 'Use another field; to change Host, set the key host of the route.',
    wrong: 'routes: [{ upstream: app, requestHeaders: { set: { host: app.internal } } }]',
    right: 'routes: [{ upstream: app, host: app.internal }]',
  },
  FL3010: {
    meaning: 'Anyone who can reach an unprotected admin API can drain every endpoint.',
    fix: 'Bind it to loopback or to a Unix socket, or protect it as docs/admin-api.md describes.',
    wrong: 'admin: { bind: 0.0.0.0:9900 }',
    right: 'admin: { bind: 127.0.0.1:9900 }',
  },
  FL3011: {
    meaning: 'An entry of `policies` names exactly one policy of a plugin, and no plugin defines this one.',
    fix: 'Correct the name, or add the file of the plugin to the top-level list `plugins`.',
    wrong: 'routes: [{ upstream: app, policies: [{ greeting: true }] }]',
    right: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: true }] }]',
  },
  FL3012: {
    meaning: 'The options have the right form, but the policy refuses their values.',
    fix: 'Change the options as the message says; the page of the policy describes them.',
    wrong: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: { text: " " } }] }]',
    right: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: { text: hello } }] }]',
  },
  FL4001: {
    meaning:
      'A file that the configuration refers to does not exist or cannot be read. Paths are relative to the directory of the configuration file.',
    fix: 'Correct the path, or the permissions of the file.',
    wrong: 'accessLog: { output: no/such/directory/access.log }',
    right: 'accessLog: { output: stdout }',
  },
  FL4002: {
    meaning: 'The file was read, but contains no certificate.',
    fix: 'Give the PEM file that begins with BEGIN CERTIFICATE, not a key file or DER file.',
    wrong:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.key, key: certificates/shop.example.com.key }] }',
    right:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }] }',
  },
  FL4003: {
    meaning: 'The file was read, but contains no private key, or one with a passphrase, which a server cannot enter.',
    fix: 'Give the PEM file with BEGIN PRIVATE KEY; openssl pkey removes a passphrase.',
    wrong:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.pem }] }',
    right:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }] }',
  },
  FL4004: {
    meaning:
      'The private key and the certificate are not a pair: after a renewal, often one of the two files is still the old one.',
    fix: 'Give the key for which the certificate was requested.',
    wrong:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/api.example.com.key }] }',
    right:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/api.example.com.pem, key: certificates/api.example.com.key }] }',
  },
  FL4005: {
    meaning:
      'The file of a plugin could be read, but its module threw an exception, has a syntax error, or does not export what a plugin exports. Nothing of the running configuration is replaced.',
    fix: 'Correct the module; docs/extending.md shows what it exports.',
    wrong: 'plugins: [plugins/no-plugin.js]',
    right: 'plugins: [plugins/greeting.js]',
  },
  FL5001: {
    meaning:
      'Found by check --strict-dns alone: the name of an endpoint or of a DNS source has no address on this machine, or its resolver failed. Fairlead would start with it, and keep the endpoint out of use until it resolves.',
    fix: 'Correct the name, or run the check where the name resolves.',
    shell:
      'fairlead check --strict-dns           # api.internl: ENOTFOUND\ngetent hosts api.internal             # what the system finds',
  },
} as const satisfies Record<string, Guidance>;
