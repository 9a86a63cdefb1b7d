// Guidance for errors in values, between values, and in the files that a configuration names. Thread: main.

import type { Guidance } from './problem.ts';

export const VALUE_GUIDE = {
  FL2001: {
    meaning: 'Nobody reads this key. A misspelt key that was left out silently would leave its default in force.',
    fix: 'Take the suggestion, or a key of the list in the message. Top-level keys that begin with x- are left out: notes and anchors go there.',
    wrong: 'timeouts: { keepalive-time: 60s }',
    right: 'timeouts: { keepAlive: 60s }',
  },
  FL2002: {
    meaning: 'This key has no default.',
    fix: 'Add it; the message has an example.',
    wrong: 'listeners: [{ name: web }]',
    right: 'listeners: [{ name: web, bind: 127.0.0.1:8080 }]',
  },
  FL2004: {
    meaning: 'A list stands where a mapping goes, a number where a text goes, or the like.',
    fix: 'Write what the message says that the key takes; often quotes or a unit are missing.',
    wrong: 'timeouts: { head: 15 }',
    right: 'timeouts: { head: 15s }',
  },
  FL2005: {
    meaning: 'The value is of the right kind, but too small, too large, or none of the words that are allowed.',
    fix: 'Choose one within the bounds that the message names.',
    wrong: 'workers: 100',
    right: 'workers: 64',
  },
  FL2006: {
    meaning: 'A duration, size, address, path or name is not well formed.',
    fix: 'Write it in the form of the message.',
    wrong: 'listeners: [{ name: web, bind: "8080" }]',
    right: 'listeners: [{ name: web, bind: ":8080" }]',
  },
  FL2007: {
    meaning: 'A list that must hold something is empty.',
    fix: 'Add an entry, or remove the key where it is optional.',
    wrong: 'upstreams: { app: { endpoints: [], health: { heartbeat: false } } }',
    right: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000], health: { heartbeat: false } } }',
  },
  FL3001: {
    meaning: 'A route leads to an upstream that the file does not have.',
    fix: 'Correct the name or add the upstream.',
    wrong: 'routes: [{ upstream: ap }]',
    right: 'routes: [{ upstream: app }]',
  },
  FL3002: {
    meaning: 'A route is for a listener that the file does not have.',
    fix: 'Correct the name or add the listener.',
    wrong: 'routes: [{ match: { listener: wbe }, upstream: app }]',
    right: 'routes: [{ match: { listener: web }, upstream: app }]',
  },
  FL3003: {
    meaning: 'Two things of one kind have the same name, which stands in logs, metrics and the admin API.',
    fix: 'Give one of them another name.',
    wrong: 'routes:\n  - { name: all, match: { path: /a }, upstream: app }\n  - { name: all, upstream: app }',
    right: 'routes:\n  - { name: a, match: { path: /a }, upstream: app }\n  - { name: all, upstream: app }',
  },
  FL3004: {
    meaning: 'An address can be bound once. [::] takes IPv4 too, so that it clashes with 0.0.0.0.',
    fix: 'Change the port or the host of one of them.',
    wrong: 'listeners:\n  - { name: web, bind: 0.0.0.0:8080 }\n  - { name: six, bind: "[::]:8080" }',
    right: 'listeners:\n  - { name: web, bind: "[::]:8080" }',
  },
  FL3005: {
    meaning: 'An endpoint is its address: a second one would share its health and its counters.',
    fix: 'Remove it; a larger share is a weight.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [{ url: http://10.0.0.1:3000, weight: 2 }, http://10.0.0.2:3000]\n    health: { heartbeat: { path: /healthz } }',
  },
  FL3006: {
    meaning: 'A route has none or several of upstream, respond and redirect.',
    fix: 'Keep exactly one.',
    wrong: 'routes:\n  - { match: { path: /old }, upstream: app, respond: { status: 410 } }\n  - { upstream: app }',
    right: 'routes:\n  - { match: { path: /old }, respond: { status: 410 } }\n  - { upstream: app }',
  },
  FL3007: {
    meaning: 'The key is known here, but not beside another one that is given.',
    fix: 'Remove one of the two.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    balance: { strategy: random, seed: 7 }\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    balance: { strategy: consistent-hash, seed: 7 }\n    health: { heartbeat: { path: /healthz } }',
  },
  FL3008: {
    meaning: 'Two values can not both hold.',
    fix: 'Change one of them as the message says.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz, interval: 2s, timeout: 5s } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000]\n    health: { heartbeat: { path: /healthz, interval: 5s, timeout: 5s } }',
  },
  FL3009: {
    meaning:
      'The field belongs to the connection or to what Fairlead says of the client. Changing it could make one message look like two (request smuggling).',
    fix: 'Use another field; for Host there is the key host of the route.',
    wrong: 'routes: [{ upstream: app, requestHeaders: { set: { host: app.internal } } }]',
    right: 'routes: [{ upstream: app, host: app.internal }]',
  },
  FL3010: {
    meaning: 'Whoever reaches the admin API can take every endpoint out.',
    fix: 'Bind it to loopback or to a Unix socket, or protect it as docs/admin-api.md says.',
    wrong: 'admin: { bind: 0.0.0.0:9900 }',
    right: 'admin: { bind: 127.0.0.1:9900 }',
  },
  FL3011: {
    meaning: 'A list `policies` names policies of plugins, one to an entry, and no plugin defines this one.',
    fix: 'Correct the name, or name the file of the plugin in the top-level list `plugins`.',
    wrong: 'routes: [{ upstream: app, policies: [{ greeting: true }] }]',
    right: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: true }] }]',
  },
  FL3012: {
    meaning: 'The options have the right shape, and the policy objects to what they say.',
    fix: 'Change the options as the message says; the page of the policy describes them.',
    wrong: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: { text: " " } }] }]',
    right: 'plugins: [plugins/greeting.js]\nroutes: [{ upstream: app, policies: [{ greeting: { text: hello } }] }]',
  },
  FL4001: {
    meaning:
      'A file that the configuration names is not there or can not be read. Paths are relative to the directory of the configuration.',
    fix: 'Correct the path, or the permissions of the file.',
    wrong: 'accessLog: { output: no/such/directory/access.log }',
    right: 'accessLog: { output: stdout }',
  },
  FL4002: {
    meaning: 'The file was read, but has no certificate in it.',
    fix: 'Name the PEM file that begins with BEGIN CERTIFICATE; key files and DER files are something else.',
    wrong:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.key, key: certificates/shop.example.com.key }] }',
    right:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }] }',
  },
  FL4003: {
    meaning:
      'The file was read, but has no private key that can be used, or one with a passphrase, for which nobody is there to ask.',
    fix: 'Name the PEM file with BEGIN PRIVATE KEY; openssl pkey takes a passphrase off.',
    wrong:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.pem }] }',
    right:
      'listeners:\n  - name: web\n    bind: 127.0.0.1:8443\n    tls: { certificates: [{ cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key }] }',
  },
  FL4004: {
    meaning: 'Key and certificate were not made together: after a renewal, mostly one of the two files is the old one.',
    fix: 'Name the key with which the certificate was asked for.',
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
} as const satisfies Record<string, Guidance>;
