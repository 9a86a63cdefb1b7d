// Fairlead with policies that touch every part of a message in front of an application. Thread: main.

import { FairleadProcess } from '../peers/fairlead-process.ts';

/** Starts it in front of application servers on these ports. */
export function startBehindPolicies(ports: readonly number[]): Promise<FairleadProcess> {
  return FairleadProcess.start(
    ({ web, admin }) => `workers: 2
listeners: [{ name: web, bind: "127.0.0.1:${web}" }]
admin: { bind: "127.0.0.1:${admin}" }
routes:
  - name: app
    upstream: app
    allow: 127.0.0.0/8
    rateLimit: { rate: 100000/s, fields: always }
    requestsPerClient: 1000
    limits: { body: 4GiB }
    compress: { minSize: 1KiB }
    securityHeaders: true
    cors: { origins: "https://app.example.com" }
    requestHeaders: { set: { X-Route: "{route}", X-Host: "{host}" }, remove: [x-debug-*] }
    responseHeaders: { set: { X-Request: "{requestId}" }, remove: [x-powered-by] }
    traceContext: { create: true }
upstreams:
  app:
    endpoints: [${ports.map((port) => `"http://127.0.0.1:${port}"`).join(', ')}]
    sticky: { cookie: node, secret: a long random text }
    health: { heartbeat: false }
`,
  );
}
