// The YAML of docs/design.md 6, with certificates that exist and a secret that signs the cookie. Thread: main.

export const DESIGN_EXAMPLE = `workers: auto
listeners:
  - name: web
    bind: 0.0.0.0:8080            # host:port, [::]:443, unix:/run/x.sock, fd:3 (systemd)
    tls: { certificates: [ { cert: certificates/shop.example.com.pem, key: certificates/shop.example.com.key } ] }
routes:                           # first match wins; check warns of shadowed routes
  - match: { host: api.example.com, path: /v1/ }     # path: prefix; exact with path: { exact: /x }; also method, header, query
    upstream: api
upstreams:
  api:
    balance: least-request        # round-robin, least-request, random, peak-ewma, or { strategy: consistent-hash, key: header:x-user, boundedLoad: 1.25 }
    endpoints:
      - http://10.0.0.1:3000
      - { url: http://10.0.0.2:3000, weight: 3 }
      - { url: http://10.0.0.3:3000, backup: true }
    health:
      heartbeat: { path: /healthz, interval: 2s, timeout: 1s, rise: 2, fall: 3 }
      passive: { consecutiveFailures: 5, ejection: { base: 10s, max: 300s }, maxEjectedPercent: 50 }
    retry: { attempts: 2, on: [connect-failure, reset, timeout], perTryTimeout: 10s, budget: { ratio: 0.2, min: 3 }, buffer: 64KiB }   # perTryTimeout cuts a try only where another may follow
    hedge: { after: 200ms }
    timeouts: { connect: 3s, response: 60s, idle: 60s, queue: 5s }
    limits: { maxConnections: 200, maxQueue: 1000 }
    slowStart: 10s
    sticky: { cookie: lb, secret: "\${STICKY_SECRET}" }
admin: { bind: 127.0.0.1:9900 }
accessLog: { format: json, output: stdout }
`;
