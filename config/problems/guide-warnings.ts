// Guidance for warnings: what works, but hardly as it was meant. Thread: main.

import type { Guidance } from './problem.ts';

/** One upstream named app, with two endpoints and what else is given. */
const app = (settings: string, health = 'heartbeat: { path: /healthz }'): string =>
  `upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    health: { ${health} }${settings === '' ? '' : `\n    ${settings}`}`;

const beat = (settings: string): string => app('', `heartbeat: { path: /healthz, ${settings} }`);

export const WARNING_GUIDE = {
  FL9001: {
    meaning: 'The first route that matches wins, and those before this one take all of its requests.',
    fix: 'Put the narrower route first, or remove the one that does nothing.',
    wrong: 'routes:\n  - { match: { path: / }, upstream: app }\n  - { match: { path: /api }, upstream: app }',
    right: 'routes:\n  - { match: { path: /api }, upstream: app }\n  - { match: { path: / }, upstream: app }',
  },
  FL9002: {
    meaning: 'No route leads to this upstream. Its endpoints are asked for heartbeats all the same.',
    fix: 'Add a route or remove the upstream.',
    wrong: 'routes: [{ respond: { status: 404 } }]',
    right: 'routes: [{ upstream: app }]',
  },
  FL9003: {
    meaning: 'Without a heartbeat, only requests of clients find out that an endpoint is down, and that it is back.',
    fix: 'Add a heartbeat, or write heartbeat: false to say that it is meant.',
    wrong: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000] } }',
    right: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9004: {
    meaning: 'The value changes nothing, because another one comes first or turns off what it is for.',
    fix: 'Remove it, or change the other one.',
    wrong: app('retry: { attempts: 0, perTryTimeout: 5s }'),
    right: app('retry: { attempts: 1, perTryTimeout: 5s }'),
  },
  FL9005: {
    meaning: 'Without verification TLS keeps nobody on the way from reading and changing requests.',
    fix: 'Name the CA of the endpoints with tls.ca and leave verify out.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [https://10.0.0.1:3443]\n    tls: { verify: false }\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [https://10.0.0.1:3443]\n    tls: { ca: certificates/ca.pem }\n    health: { heartbeat: { path: /healthz } }',
  },
  FL9006: {
    meaning: 'The certificate has expired, expires within two weeks, or is not valid yet.',
    fix: 'Renew it and reload.',
    shell: 'openssl x509 -noout -enddate -in shop.example.com.pem',
  },
  FL9007: {
    meaning:
      'In TLS the endpoint is asked for by its own name, in HTTP by the name that the client wrote; servers that serve by name may answer 421 or 404.',
    fix: 'Set host: endpoint on the route, or tls.serverName on the upstream.',
    wrong: 'upstreams: { app: { endpoints: [https://app.internal], health: { heartbeat: { path: /healthz } } } }',
    right:
      'routes: [{ upstream: app, host: endpoint }]\nupstreams: { app: { endpoints: [https://app.internal], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9008: {
    meaning: 'Backups step in for others. Where all are backups, none is.',
    fix: 'Leave backup out of those that serve in the first place.',
    wrong:
      'upstreams: { app: { endpoints: [{ url: http://10.0.0.1:3000, backup: true }], health: { heartbeat: { path: /healthz } } } }',
    right:
      'upstreams: { app: { endpoints: [{ url: http://10.0.0.1:3000 }], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9009: {
    meaning:
      'The key headers says which fields the answer to a heartbeat must carry. No answer carries this one, so that no heartbeat would ever be good.',
    fix: 'Remove it; the Host of a heartbeat is set with host.',
    wrong: beat('headers: { host: app.internal }'),
    right: beat('host: app.internal'),
  },
  FL9010: {
    meaning:
      'A repetition within a repetition may take exponential time on a text that almost matches (ReDoS), and heartbeats wait meanwhile.',
    fix: 'Write the expression without the inner or the outer repetition.',
    wrong: beat("body: '(a+)+$'"),
    right: beat("body: 'a+$'"),
  },
  FL9011: {
    meaning: 'While nothing is up, requests wait for a good heartbeat, and give up before one can come.',
    fix: 'Shorten fastInterval, or lengthen timeouts.queue.',
    wrong: app('whenAllDown: wait\n    timeouts: { queue: 500ms }'),
    right: app('whenAllDown: wait\n    timeouts: { queue: 10s }'),
  },
  FL9012: {
    meaning: 'Without a secret one is drawn at each start, and clients lose their endpoint with every restart.',
    fix: 'Set secret, best out of the environment.',
    wrong: app('sticky: { cookie: lb }'),
    right: app('sticky: { cookie: lb, secret: "${STICKY_SECRET}" }'),
  },
  FL9013: {
    meaning: 'One host or path of this route never leads here: routes before it take all of its requests.',
    fix: 'Put this route further up, or remove that host or path.',
    wrong:
      'routes:\n  - { match: { path: /api }, upstream: app }\n  - { match: { path: [/api/v2, /files] }, upstream: app }',
    right:
      'routes:\n  - { match: { path: [/api/v2, /files] }, upstream: app }\n  - { match: { path: /api }, upstream: app }',
  },
  FL9014: {
    meaning: 'Every route is for other listeners: requests here get 404.',
    fix: 'Add a route for the listener, or remove it.',
    wrong:
      'listeners:\n  - { name: web, bind: 127.0.0.1:8080 }\n  - { name: local, bind: 127.0.0.1:8081 }\nroutes: [{ match: { listener: web }, upstream: app }]',
    right:
      'listeners:\n  - { name: web, bind: 127.0.0.1:8080 }\n  - { name: local, bind: 127.0.0.1:8081 }\nroutes: [{ match: { listener: [web, local] }, upstream: app }]',
  },
  FL9015: {
    meaning: 'A private key, or a configuration file that holds a secret, can be read by every user of the machine.',
    fix: 'Take that right away, or bring the secret in by an environment variable.',
    shell: 'chmod 640 shop.example.com.key && chgrp fairlead shop.example.com.key',
  },
  FL9016: {
    meaning: 'The tries before the last one may use the whole response timeout up, so that the last one is never made.',
    fix: 'Shorten perTryTimeout, lower attempts, or lengthen timeouts.response.',
    wrong: app('retry: { attempts: 3, perTryTimeout: 20s }'),
    right: app('retry: { attempts: 3, perTryTimeout: 15s }'),
  },
  FL9017: {
    meaning:
      'Browsers give a request up after five minutes without an answer, other clients earlier. What is tried after that is load without use.',
    fix: 'Shorten perTryTimeout, lower attempts, or set timeouts.response.',
    wrong: app('retry: { attempts: 5, perTryTimeout: 1m }\n    timeouts: { response: none }'),
    right: app('retry: { attempts: 2, perTryTimeout: 1m }\n    timeouts: { response: none }'),
  },
  FL9018: {
    meaning:
      'There is no heartbeat, and answers are not judged either: a dead endpoint gets its share of requests for ever.',
    fix: 'Add a heartbeat, or leave passive as it is by default.',
    wrong: app('', 'heartbeat: false, passive: { consecutiveFailures: 0, outliers: false }'),
    right: app('', 'heartbeat: false'),
  },
  FL9019: {
    meaning:
      'So many endpoints may be ejected that the last one gets every request, and most likely falls over as well.',
    fix: 'Lower maxEjectedPercent; 50 keeps half of the endpoints.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000, http://10.0.0.3:3000]\n    health: { heartbeat: { path: /healthz }, passive: { maxEjectedPercent: 100 } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000, http://10.0.0.3:3000]\n    health: { heartbeat: { path: /healthz }, passive: { maxEjectedPercent: 50 } }',
  },
  FL9020: {
    meaning:
      'An endpoint that can not be reached would hold a request longer than one that takes it and never answers.',
    fix: 'Shorten connect: connections are made in milliseconds.',
    wrong: app('timeouts: { connect: 10s, response: 5s }'),
    right: app('timeouts: { connect: 1s, response: 5s }'),
  },
  FL9021: {
    meaning: 'The admin API asks for a token without TLS: everybody on the way can read it and use it.',
    fix: 'Add admin.tls, or bind the admin API to loopback or a Unix socket.',
    wrong: 'admin: { bind: 0.0.0.0:9900, token: "${ADMIN_TOKEN:-a-token-that-nobody-guesses}" }',
    right: 'admin: { bind: 127.0.0.1:9900, token: "${ADMIN_TOKEN:-a-token-that-nobody-guesses}" }',
  },
} as const satisfies Record<string, Guidance>;
