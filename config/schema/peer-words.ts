// Words of nginx, HAProxy, Caddy, Traefik and Envoy, and of features that Fairlead lacks: advice for those who write them
// in a Fairlead file. Thread: main.

/** Advice for an unknown key; continues "unknown key X: ". Keys are in lower case, without hyphens and underscores. */
const KEY_ADVICE: Readonly<Record<string, string>> = {
  ...each(
    ['backend', 'backends', 'defaultbackend', 'cluster', 'clusters', 'pool', 'services', 'service', 'useBackend'],
    'a group of endpoints is an entry of "upstreams", and a route refers to it with "upstream"',
  ),
  ...each(
    ['frontend', 'frontends', 'entrypoint', 'entrypoints', 'listen'],
    'an address to accept on is an entry of "listeners"',
  ),
  ...each(
    ['server', 'servers', 'target', 'targets', 'nodes', 'hosts', 'loadbalancer'],
    'addresses of an upstream are its "endpoints", as URLs',
  ),
  ...each(
    ['location', 'locations', 'acl', 'rule', 'rules', 'routers', 'handle', 'matcher', 'virtualhosts'],
    'requests are matched by "routes", in order, with "match"',
  ),
  ...each(
    ['acceptproxy', 'expectproxy'],
    'headers of the PROXY protocol are read with listeners[].proxyProtocol: { trusted: [10.0.0.10] }',
  ),
  ...each(
    ['sendproxy', 'sendproxyv2', 'sendproxyv2ssl', 'sendproxyv2sslcn', 'checksendproxy'],
    'headers of the PROXY protocol are sent with upstreams.NAME.proxyProtocol: v2',
  ),
  ...each(
    ['setrealipfrom', 'realipheader', 'realiprecursive', 'realip', 'xfftrustedproxies'],
    'proxies in front of Fairlead are listeners[].trustedProxies',
  ),
  ...each(['proxypass', 'reverseproxy', 'to', 'forward', 'proxy'], 'a route names its upstream: upstream: app'),
  ...each(['return', 'httprequest'], 'a route answers with "respond" or "redirect"'),
  ...each(
    ['proxyreadtimeout', 'proxyconnecttimeout', 'proxysendtimeout', 'timeoutserver', 'timeoutconnect'],
    'timeouts of endpoints are upstreams.NAME.timeouts: connect, response, idle',
  ),
  ...each(
    ['timeoutclient', 'timeouthttprequest', 'clientheadertimeout', 'clientbodytimeout', 'keepalivetimeout'],
    'timeouts of clients are "timeouts": head, bodyIdle, keepAlive',
  ),
  ...each(
    ['clientmaxbodysize', 'maxbody', 'bodylimit'],
    'the limit is limits.body, or limits: { body: 10MiB } of a route',
  ),
  ...each(
    ['maxconn'],
    'the limit of an endpoint is upstreams.NAME.limits.maxConnections; that of clients is limits.connections',
  ),
  ...each(
    ['proxysetheader', 'addheader', 'setheader', 'headerup', 'headerdown', 'headers'],
    'fields are edited with requestHeaders and responseHeaders of a route: { set: { x-team: blue } }',
  ),
  ...each(
    ['healthcheck', 'healthchecks', 'check', 'httpchk', 'healthuri'],
    'checks are upstreams.NAME.health.heartbeat: { path: /healthz }',
  ),
  ...each(
    ['sslcertificate', 'sslcertificatekey', 'ssl', 'crt', 'certificate'],
    'certificates are listeners[].tls.certificates: [{ cert, key }]',
  ),
  ...each(['workerprocesses', 'nbthread', 'nbproc', 'threads'], 'the number of worker threads is "workers"'),
  ...each(['errorlog', 'loglevel'], 'the process log is "log: { level, format }", and goes to stderr'),
  ...each(['stick', 'sticktable', 'stickon', 'persist'], 'session affinity is upstreams.NAME.sticky: { cookie: lb }'),
  ...each(
    ['rewrites', 'stripprefix', 'addprefix', 'replacepath', 'uristripprefix', 'replacepathregex', 'pathrewrite'],
    'paths are changed with rewrite of a route: { stripPrefix: /api }',
  ),
  ...each(
    ['proxyredirect', 'proxycookiepath', 'proxycookiedomain'],
    'references of endpoints are mapped back with rewrite of a route: { location: true, cookiePath: true, cookieDomain: { app.internal: none } }',
  ),
  ...each(['cache', 'proxycache', 'caching'], 'Fairlead does not cache: put a cache or CDN in front of it'),
  ...each(
    ['gzip', 'gziptypes', 'gzipmin', 'compression', 'encode', 'brotli', 'zstd'],
    'responses are compressed by "compress: true" of a route',
  ),
  ...each(
    ['ratelimit', 'limitreq', 'limitconn', 'throttle'],
    'clients are limited by rateLimit and requestsPerClient of a route, and by limits.connectionsPerClient',
  ),
  ...each(
    ['basicauth', 'authbasic', 'forwardauth', 'authrequest', 'jwt', 'oauth'],
    'clients are authenticated by basicAuth or forwardAuth of a route; for JWT and OAuth let the service of forwardAuth decide',
  ),
  ...each(['cors'], 'cross-origin requests are allowed by cors of a route'),
  ...each(
    ['split', 'canary', 'trafficsplit', 'weightedclusters'],
    'requests are split between upstreams by "split" of a route',
  ),
  ...each(['mirror', 'shadow'], 'Fairlead does not mirror traffic'),
  ...each(
    ['errorpage', 'errorpages', 'errorfile', 'handleerrors'],
    'error pages are set by "errorPages" of a listener or route',
  ),
  ...each(
    ['root', 'fileserver', 'static', 'tryfiles', 'alias'],
    'a route serves files with "files: { root: DIRECTORY }"',
  ),
  ...each(
    ['acme', 'letsencrypt', 'autohttps', 'certresolver', 'email', 'ondemandtls'],
    'certificates are obtained by "tls.acme" of a listener, for the hosts of its routes (docs/certificates.md)',
  ),
  ...each(['tcp', 'stream', 'udp', 'mode'], 'Fairlead proxies HTTP only, no plain TCP or UDP'),
  ...each(['include', 'import', 'confd'], 'a configuration is one file: YAML anchors avoid repetition'),
  ...each(
    ['whitelist', 'allow', 'deny', 'ipallowlist', 'ipwhitelist', 'remoteip'],
    'Fairlead does not filter clients by address: use a firewall',
  ),
  ...each(['resolver', 'resolvers', 'dns'], 'host names of endpoints are resolved by the system when connecting'),
  ...each(['lua', 'luaload', 'njs', 'wasm'], 'Fairlead is extended by "plugins" in JavaScript or TypeScript'),
};

/** Values of other programs for words of Fairlead, by the word that they mean. */
const VALUE_WORDS: Readonly<Record<string, string>> = {
  leastconn: 'least-request',
  leastconnections: 'least-request',
  leastrequest: 'least-request',
  lor: 'least-request',
  rr: 'round-robin',
  wrr: 'round-robin',
  weightedroundrobin: 'round-robin',
  staticrr: 'round-robin',
  ewma: 'peak-ewma',
  leasttime: 'peak-ewma',
  ringhash: 'consistent-hash',
  maglev: 'consistent-hash',
  hash: 'consistent-hash',
};

/** Values that need a mapping in Fairlead. */
const VALUE_FORMS: Readonly<Record<string, string>> = {
  iphash: '{ strategy: consistent-hash, key: client-ip }',
  source: '{ strategy: consistent-hash, key: client-ip }',
  clientiphash: '{ strategy: consistent-hash, key: client-ip }',
  uri: '{ strategy: consistent-hash, key: path }',
  urihash: '{ strategy: consistent-hash, key: path }',
  randomtwoleastconn: '{ strategy: random, choices: 2 }',
  poweroftwo: '{ strategy: random, choices: 2 }',
  p2c: '{ strategy: random, choices: 2 }',
};

function each(words: readonly string[], advice: string): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word.toLowerCase(), advice]));
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Advice for an unknown key that another program has, or undefined. */
export function adviceForKey(key: string): string | undefined {
  const word = plain(key);
  return Object.hasOwn(KEY_ADVICE, word) ? KEY_ADVICE[word] : undefined;
}

/** The value that another program's word means, if it is one of `words` or a form of `balance`; or undefined. */
export function meantByPeerWord(text: string, words: readonly string[]): string | undefined {
  const word = plain(text);
  if (Object.hasOwn(VALUE_WORDS, word) && words.includes(VALUE_WORDS[word]!)) return VALUE_WORDS[word];
  return Object.hasOwn(VALUE_FORMS, word) && words.includes('consistent-hash') ? VALUE_FORMS[word] : undefined;
}
