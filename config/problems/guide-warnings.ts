// Guidance for warnings: configurations that load, but probably don't do what was intended. Thread: main.

import type { Guidance } from './problem.ts';

/** An upstream named app with two endpoints and additional settings. */
const app = (settings: string, health = 'heartbeat: { path: /healthz }'): string =>
  `upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000]\n    health: { ${health} }${settings === '' ? '' : `\n    ${settings}`}`;

const check = (settings: string): string => app('', `heartbeat: { path: /healthz, ${settings} }`);

export const WARNING_GUIDE = {
  FL9001: {
    meaning: 'The first matching route wins, and earlier routes match every request of this one.',
    fix: 'Put the narrower route first, or remove the route that can never match.',
    wrong: 'routes:\n  - { match: { path: / }, upstream: app }\n  - { match: { path: /api }, upstream: app }',
    right: 'routes:\n  - { match: { path: /api }, upstream: app }\n  - { match: { path: / }, upstream: app }',
  },
  FL9002: {
    meaning: 'No route refers to this upstream. Its endpoints receive heartbeats but no requests.',
    fix: 'Add a route or remove the upstream.',
    wrong: 'routes: [{ respond: { status: 404 } }]',
    right: 'routes: [{ upstream: app }]',
  },
  FL9003: {
    meaning:
      'Without a heartbeat, only failing client requests reveal that an endpoint is down, and only client requests reveal that it is back.',
    fix: 'Add a heartbeat, or write heartbeat: false to confirm that none is wanted.',
    wrong: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000] } }',
    right: 'upstreams: { app: { endpoints: [http://10.0.0.1:3000], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9004: {
    meaning: 'The setting has no effect, because another setting takes precedence or disables the feature.',
    fix: 'Remove it, or change the other setting.',
    wrong: app('retry: { attempts: 0, perTryTimeout: 5s }'),
    right: app('retry: { attempts: 1, perTryTimeout: 5s }'),
  },
  FL9005: {
    meaning:
      'Without verification, TLS does not prevent anyone on the network path from reading and changing requests.',
    fix: 'Set tls.ca to the CA of the endpoints and remove verify.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [https://10.0.0.1:3443]\n    tls: { verify: false }\n    health: { heartbeat: { path: /healthz } }',
    right:
      'upstreams:\n  app:\n    endpoints: [https://10.0.0.1:3443]\n    tls: { ca: certificates/ca.pem }\n    health: { heartbeat: { path: /healthz } }',
  },
  FL9006: {
    meaning: 'The certificate has expired, expires within two weeks, or is not yet valid.',
    fix: 'Renew it and reload.',
    shell: 'openssl x509 -noout -enddate -in shop.example.com.pem',
  },
  FL9007: {
    meaning:
      "The TLS server name (SNI) is the endpoint's own name, while the Host field is the client's. Servers with virtual hosts may answer 421 or 404.",
    fix: 'Set host: { from: endpoint } on the route, or tls.serverName on the upstream.',
    wrong: 'upstreams: { app: { endpoints: [https://app.internal], health: { heartbeat: { path: /healthz } } } }',
    right:
      'routes: [{ upstream: app, host: { from: endpoint } }]\nupstreams: { app: { endpoints: [https://app.internal], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9008: {
    meaning: 'Backups replace primary endpoints. If every endpoint is a backup, none of them has that role.',
    fix: 'Remove backup from the primary endpoints.',
    wrong:
      'upstreams: { app: { endpoints: [{ url: http://10.0.0.1:3000, backup: true }], health: { heartbeat: { path: /healthz } } } }',
    right:
      'upstreams: { app: { endpoints: [{ url: http://10.0.0.1:3000 }], health: { heartbeat: { path: /healthz } } } }',
  },
  FL9009: {
    meaning:
      'The key headers lists fields that the response to a heartbeat must carry. Responses never carry this one, so every heartbeat would fail.',
    fix: 'Remove it; to set the Host field of a heartbeat, use host.',
    wrong: check('headers: { host: app.internal }'),
    right: check('host: app.internal'),
  },
  FL9010: {
    meaning:
      'Nested quantifiers may take exponential time on text that almost matches (ReDoS), which delays all heartbeats.',
    fix: 'Rewrite the expression without the inner or the outer quantifier.',
    wrong: check("body: '(a+)+$'"),
    right: check("body: 'a+$'"),
  },
  FL9011: {
    meaning:
      'With no endpoint up, requests wait for a successful heartbeat, but leave the queue before the next one is due.',
    fix: 'Shorten fastInterval, or lengthen timeouts.queue.',
    wrong: app('whenAllDown: wait\n    timeouts: { queue: 500ms }'),
    right: app('whenAllDown: wait\n    timeouts: { queue: 10s }'),
  },
  FL9012: {
    meaning:
      'Without a secret, a random one is generated at each start, and clients lose their endpoint at every restart.',
    fix: 'Set secret, preferably from an environment variable.',
    wrong: app('sticky: { cookie: lb }'),
    right: app('sticky: { cookie: lb, secret: "${STICKY_SECRET}" }'),
  },
  FL9013: {
    meaning: 'One host or path of this route can never match: earlier routes match all of its requests.',
    fix: 'Move this route up, or remove that host or path.',
    wrong:
      'routes:\n  - { match: { path: /api }, upstream: app }\n  - { match: { path: [/api/v2, /files] }, upstream: app }',
    right:
      'routes:\n  - { match: { path: [/api/v2, /files] }, upstream: app }\n  - { match: { path: /api }, upstream: app }',
  },
  FL9014: {
    meaning: 'Every route is limited to other listeners, so all requests to this one get 404.',
    fix: 'Add a route for the listener, or remove the listener.',
    wrong:
      'listeners:\n  - { name: web, bind: 127.0.0.1:8080 }\n  - { name: local, bind: 127.0.0.1:8081 }\nroutes: [{ match: { listener: web }, upstream: app }]',
    right:
      'listeners:\n  - { name: web, bind: 127.0.0.1:8080 }\n  - { name: local, bind: 127.0.0.1:8081 }\nroutes: [{ match: { listener: [web, local] }, upstream: app }]',
  },
  FL9015: {
    meaning: 'A private key, or a configuration file that contains a secret, is readable by every user of the machine.',
    fix: 'Restrict the permissions of the file, or pass the secret in an environment variable.',
    shell: 'chmod 640 shop.example.com.key && chgrp fairlead shop.example.com.key',
  },
  FL9016: {
    meaning: 'Earlier attempts may use up the whole response timeout, so that the last attempt is never made.',
    fix: 'Shorten perTryTimeout, lower attempts, or lengthen timeouts.response.',
    wrong: app('retry: { attempts: 3, perTryTimeout: 20s }'),
    right: app('retry: { attempts: 3, perTryTimeout: 15s }'),
  },
  FL9017: {
    meaning:
      'Browsers abort a request after five minutes without a response, other clients earlier. Later attempts only add load.',
    fix: 'Shorten perTryTimeout, lower attempts, or set timeouts.response.',
    wrong: app('retry: { attempts: 5, perTryTimeout: 1m }\n    timeouts: { response: none }'),
    right: app('retry: { attempts: 2, perTryTimeout: 1m }\n    timeouts: { response: none }'),
  },
  FL9018: {
    meaning:
      'There is no heartbeat, and live traffic never ejects an endpoint: a dead endpoint keeps receiving its share of requests.',
    fix: 'Add a heartbeat, or keep the defaults of passive.',
    wrong: app('', 'heartbeat: false, passive: { consecutiveFailures: 0, outliers: false }'),
    right: app('', 'heartbeat: false'),
  },
  FL9019: {
    meaning: 'Ejection may leave a single endpoint with every request, and it will probably fail under that load.',
    fix: 'Lower maxEjectedPercent; 50 keeps half of the endpoints.',
    wrong:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000, http://10.0.0.3:3000]\n    health: { heartbeat: { path: /healthz }, passive: { maxEjectedPercent: 100 } }',
    right:
      'upstreams:\n  app:\n    endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000, http://10.0.0.3:3000]\n    health: { heartbeat: { path: /healthz }, passive: { maxEjectedPercent: 50 } }',
  },
  FL9020: {
    meaning: 'An unreachable endpoint would delay a request longer than one that accepts it and never answers.',
    fix: 'Shorten connect: connecting takes milliseconds.',
    wrong: app('timeouts: { connect: 10s, response: 5s }'),
    right: app('timeouts: { connect: 1s, response: 5s }'),
  },
  FL9021: {
    meaning: 'The admin API accepts tokens without TLS: anyone on the network path can read and reuse them.',
    fix: 'Add admin.tls, or bind the admin API to loopback or a Unix socket.',
    wrong: 'admin: { bind: 0.0.0.0:9900, token: "${ADMIN_TOKEN:-a-token-that-nobody-guesses}" }',
    right: 'admin: { bind: 127.0.0.1:9900, token: "${ADMIN_TOKEN:-a-token-that-nobody-guesses}" }',
  },
  FL9022: {
    meaning: 'The form still works, but another one has replaced it and is the only one in the documentation.',
    fix: 'Write the form that the message names.',
    wrong: 'routes: [{ upstream: app, host: endpoint }]',
    right: 'routes: [{ upstream: app, host: { from: endpoint } }]',
  },
  FL9023: {
    meaning:
      'The address of an endpoint is one that this configuration listens on. A request that is routed there again goes round in circles until a limit or timeout ends it.',
    fix: 'Correct the address of the endpoint; it is that of the app server, not of Fairlead.',
    wrong:
      'listeners: [{ name: web, bind: 127.0.0.1:8080 }]\nupstreams: { app: { endpoints: [http://127.0.0.1:8080], health: { heartbeat: false } } }',
    right:
      'listeners: [{ name: web, bind: 127.0.0.1:8080 }]\nupstreams: { app: { endpoints: [http://127.0.0.1:3000], health: { heartbeat: false } } }',
  },
  FL9024: {
    meaning: 'The directory of the state file does not exist, or the user who runs the check cannot write to it.',
    fix: 'Create the directory for the user who runs Fairlead; the systemd unit does so with StateDirectory=.',
    wrong: 'health: { stateFile: no/such/directory/state.json }',
    right: 'health: { stateFile: state.json }',
  },
  FL9025: {
    meaning:
      'Requests to the endpoints of this upstream are sent over HTTP/1.1, and gRPC needs HTTP/2. The heartbeat speaks HTTP/2 and passes, while requests of gRPC clients fail.',
    fix: 'Set protocol: http2, or check an HTTP path.',
    wrong: app('', 'heartbeat: { type: grpc }'),
    right: app('protocol: http2', 'heartbeat: { type: grpc }'),
  },
  FL9026: {
    meaning: 'The CA has no address to write to when a certificate is about to expire or was issued wrongly.',
    fix: 'Set acme.email to an address that several people read.',
    wrong: acme('acme: true'),
    right: acme('acme: { email: ops@example.com }'),
  },
  FL9027: {
    meaning:
      'With acme.domains: from-routes, and no route of the listener that has an exact public host, no certificate is ordered.',
    fix: 'Write match.host in the routes, or list the names in acme.domains.',
    wrong: 'listeners: [{ name: web, bind: 0.0.0.0:443, tls: { acme: { email: ops@example.com } } }]',
    right:
      'listeners: [{ name: web, bind: 0.0.0.0:443, tls: { acme: { email: ops@example.com, domains: [shop.example.com] } } }]',
  },
  FL9028: {
    meaning:
      'A PROXY protocol header names the client, and nothing in it proves that. Where every address may send one, every client can choose its address, for access rules, rate limits and logs.',
    fix: 'Set proxyProtocol.trusted to the addresses of the balancers in front of Fairlead.',
    wrong: 'listeners: [{ name: web, bind: ":8080", proxyProtocol: { trusted: [0.0.0.0/0] } }]',
    right: 'listeners: [{ name: web, bind: ":8080", proxyProtocol: { trusted: [10.0.0.10, 10.0.0.11] } }]',
  },
  FL9029: {
    meaning:
      'The listener reads the server name of the client, and passes its TLS on to the endpoint. tls:// wraps that in a second TLS connection, and the endpoint finds a handshake where it expects its protocol.',
    fix: 'Write tcp:// for endpoints that answer the handshake themselves, or terminate TLS on the listener.',
    wrong: sni('tls'),
    right: sni('tcp'),
  },
  FL9030: {
    meaning:
      'The route is for gRPC, or converts gRPC-Web to it, and its upstream is sent HTTP/1.1. gRPC needs the trailers and streams of HTTP/2: its calls fail at the endpoint.',
    fix: 'Set protocol: http2 for the upstream, or auto where its endpoints choose HTTP/2 by ALPN.',
    wrong: calls(''),
    right: calls(', protocol: http2'),
  },
} as const satisfies Record<string, Guidance>;

/** A route that converts gRPC-Web. */
function calls(protocol: string): string {
  return `routes: [{ upstream: app, grpcWeb: true }]\nupstreams: { app: { endpoints: ["http://10.0.0.1:50051"]${protocol}, health: { heartbeat: { path: /healthz } } } }`;
}

/** A route by server name to an endpoint. */
function sni(scheme: string): string {
  return `listeners: [{ name: db, mode: tcp, bind: ":5432" }]\nroutes: [{ match: { listener: db, serverName: db.example.com }, upstream: db }]\nupstreams: { db: { endpoints: ["${scheme}://10.0.0.1:5432"], health: { heartbeat: { type: tcp } } } }`;
}

/** A listener with TLS and a route that names a host. */
function acme(source: string): string {
  return `listeners: [{ name: web, bind: 0.0.0.0:443, tls: { ${source} } }]\nroutes: [{ match: { host: shop.example.com }, upstream: app }]`;
}
