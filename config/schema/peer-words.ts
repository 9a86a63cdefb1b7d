// Words of nginx, HAProxy, Caddy, Traefik and Envoy, and of features that Fairlead lacks: advice for those who write them
// in a Fairlead file. Thread: main.

const ADDRESS_WORDS = ['port', 'ports', 'address', 'addr', 'ip', 'host', 'listen'];

/**
 * Advice for an unknown key; continues "unknown key X: ". Keys are in lower case, without hyphens and underscores. Settings are
 * named by their whole path, which a test compares with the schema. Words that mean something
 * else elsewhere are written with the key above them, as in `health.path`.
 */
export const KEY_ADVICE: Readonly<Record<string, string>> = {
  ...each(
    ['backend', 'backends', 'defaultbackend', 'cluster', 'clusters', 'pool', 'services', 'service', 'useBackend'],
    'a group of endpoints is an entry of "upstreams", and a route refers to it with routes[].upstream',
  ),
  ...each(
    ['frontend', 'frontends', 'entrypoint', 'entrypoints', 'listen'],
    'an address to accept on is an entry of "listeners"',
  ),
  ...each(
    ['server', 'servers', 'target', 'targets', 'nodes', 'hosts', 'loadbalancer'],
    'addresses of an upstream are upstreams.NAME.endpoints, as URLs',
  ),
  ...below(
    'routes',
    ['path', 'paths', 'pathprefix', 'prefix', 'method', 'methods', 'domain', 'domains', 'servername', 'hostname'],
    'conditions of a route are below routes[].match: { host: app.example.com, path: /api/ }',
  ),
  ...below('listeners', ADDRESS_WORDS, 'the address is listeners[].bind: 0.0.0.0:8080'),
  ...below('admin', ADDRESS_WORDS, 'the address is admin.bind: 127.0.0.1:9900'),
  ...below(
    'endpoints',
    [...ADDRESS_WORDS, 'server', 'target'],
    'the address is upstreams.NAME.endpoints[].url: http://10.0.0.1:3000',
  ),
  ...below(
    'endpoints',
    ['maxfails', 'failtimeout', 'check', 'inter', 'rise', 'fall'],
    'failures and checks are settings of all endpoints: upstreams.NAME.health.passive and upstreams.NAME.health.heartbeat',
  ),
  ...below(
    'passive',
    ['maxfails', 'failtimeout', 'failures', 'threshold', 'errorlimit'],
    'failures in a row are upstreams.NAME.health.passive.consecutiveFailures, the time without requests is upstreams.NAME.health.passive.ejection: { base: 10s }',
  ),
  ...below(
    'health',
    ['path', 'url', 'uri', 'interval', 'timeout', 'port', 'method', 'expect', 'status', 'rise', 'fall', 'type'],
    'settings of checks are below upstreams.NAME.health.heartbeat: { path: /healthz, interval: 2s }',
  ),
  ...below('heartbeat', ['url', 'uri', 'endpoint'], 'the path is upstreams.NAME.health.heartbeat.path'),
  ...below(
    'heartbeat',
    ['status', 'statuses', 'codes', 'expectedstatus', 'expectedcodes'],
    'statuses are upstreams.NAME.health.heartbeat.expect',
  ),
  ...below(
    'timeouts',
    ['send', 'read', 'write', 'response', 'connect', 'tunnel', 'queue', 'server'],
    'timeouts of endpoints are upstreams.NAME.timeouts: { connect, response, idle }; those of clients are timeouts.head and timeouts.bodyIdle',
  ),
  ...below(
    'files',
    ['fallback', 'tryfiles', 'spa'],
    'the file for views of an application is routes[].files.spaFallback',
  ),
  ...below('files', ['alias', 'path', 'dir', 'directory'], 'the directory is routes[].files.root'),
  ...below('redirect', ['code', 'statuscode'], 'the status is routes[].redirect.status'),
  ...below('redirect', ['url', 'target', 'location'], 'the target is routes[].redirect.to'),
  ...below(
    'tls',
    ['cert', 'key', 'certfile', 'keyfile'],
    'certificates are listeners[].tls.certificates: [{ cert, key }]',
  ),
  ...below('sticky', ['mode', 'type', 'name'], 'the name of the cookie is upstreams.NAME.sticky.cookie'),
  ...below(
    'log',
    ['file', 'output', 'path'],
    'the process log has log.level and log.format alone, and goes to stderr, which the program that starts Fairlead redirects',
  ),
  ...below(
    'shutdown',
    ['timeout', 'graceful', 'gracefultimeout', 'drain'],
    'the time for exchanges in flight is shutdown.grace: 30s',
  ),
  ...each(
    ['location', 'locations', 'acl', 'rule', 'rules', 'routers', 'handle', 'matcher', 'virtualhosts'],
    'requests are matched by "routes", in order, with routes[].match',
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
  ...each(
    ['proxypass', 'reverseproxy', 'to', 'forward', 'proxy'],
    'a route names its upstream with routes[].upstream: app',
  ),
  ...each(['return', 'httprequest'], 'a route answers by itself with routes[].respond or routes[].redirect'),
  ...each(
    ['proxyreadtimeout', 'proxyconnecttimeout', 'proxysendtimeout', 'timeoutserver', 'timeoutconnect'],
    'timeouts of endpoints are upstreams.NAME.timeouts: { connect, response, idle }',
  ),
  ...each(
    ['timeoutclient', 'timeouthttprequest', 'clientheadertimeout', 'clientbodytimeout', 'keepalivetimeout'],
    'timeouts of clients are timeouts.head, timeouts.bodyIdle and timeouts.keepAlive, or listeners[].timeouts',
  ),
  ...each(
    ['clientmaxbodysize', 'maxbody', 'bodylimit'],
    'the limit is limits.body, or routes[].limits: { body: 10MiB }',
  ),
  ...each(
    ['maxconn'],
    'the limit of an endpoint is upstreams.NAME.limits.maxConnections; that of clients is limits.connections',
  ),
  ...each(
    ['proxysetheader', 'addheader', 'setheader', 'headerup', 'headerdown', 'headers'],
    'fields are edited with routes[].requestHeaders and routes[].responseHeaders: { set: { x-team: blue } }',
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
  ...each(['errorlog', 'loglevel'], 'the process log is log.level and log.format, and goes to stderr'),
  ...each(['logformat', 'customlog', 'httplog', 'tcplog'], 'the format is accessLog.format'),
  ...each(['stick', 'sticktable', 'stickon', 'persist'], 'session affinity is upstreams.NAME.sticky: { cookie: lb }'),
  ...each(
    ['rewrites', 'stripprefix', 'addprefix', 'replacepath', 'uristripprefix', 'replacepathregex', 'pathrewrite'],
    'paths are changed with routes[].rewrite: { stripPrefix: /api }',
  ),
  ...each(
    ['proxyredirect', 'proxycookiepath', 'proxycookiedomain'],
    'references of endpoints are mapped back with routes[].rewrite: { location: true, cookiePath: true, cookieDomain: { app.internal: none } }',
  ),
  ...each(['cache', 'proxycache', 'caching'], 'Fairlead does not cache: put a cache or CDN in front of it'),
  ...each(
    ['gzip', 'gziptypes', 'gzipmin', 'compression', 'encode', 'brotli', 'zstd'],
    'responses are compressed with routes[].compress: true',
  ),
  ...each(
    ['ratelimit', 'limitreq', 'limitconn', 'throttle'],
    'clients are limited by routes[].rateLimit, routes[].requestsPerClient and limits.connectionsPerClient',
  ),
  ...each(
    ['basicauth', 'authbasic', 'forwardauth', 'authrequest', 'jwt', 'oauth'],
    'clients are authenticated by routes[].basicAuth or routes[].forwardAuth; for JWT and OAuth let the service of forwardAuth decide',
  ),
  ...each(['cors'], 'cross-origin requests are allowed by routes[].cors'),
  ...each(
    ['hsts', 'stricttransportsecurity', 'frameoptions'],
    'security fields of responses are routes[].securityHeaders',
  ),
  ...each(
    ['split', 'canary', 'trafficsplit', 'weightedclusters'],
    'requests are split between upstreams by routes[].split',
  ),
  ...each(
    ['mirror', 'mirroring', 'mirrors', 'shadow', 'requestmirror', 'requestmirrorpolicies'],
    'requests are copied to another upstream by routes[].mirror',
  ),
  ...each(
    ['errorpage', 'errorpages', 'errorfile', 'handleerrors'],
    'error pages are listeners[].errorPages or routes[].errorPages',
  ),
  ...each(
    ['root', 'fileserver', 'static', 'tryfiles', 'alias'],
    'a route serves files with routes[].files: { root: DIRECTORY }',
  ),
  ...each(
    ['acme', 'letsencrypt', 'autohttps', 'certresolver', 'email', 'ondemandtls'],
    'certificates are obtained by listeners[].tls.acme: { email }, for the hosts of the routes (docs/certificates.md)',
  ),
  ...each(
    ['tcp', 'stream', 'mode'],
    'sessions over TCP are relayed by a listener with listeners[].mode: tcp to upstreams.NAME.endpoints: [tcp://10.0.0.1:5432] (docs/tcp.md)',
  ),
  ...each(['udp', 'quic', 'http3'], 'Fairlead proxies HTTP/1.1, HTTP/2 and TCP, and nothing over UDP'),
  ...each(
    ['include', 'includes', 'import', 'confd'],
    'further files are read with "include": [conf.d/*.yaml], at the top of the file',
  ),
  ...each(
    ['whitelist', 'allow', 'deny', 'ipallowlist', 'ipwhitelist', 'remoteip', 'denylist', 'blacklist'],
    'clients are filtered by address with routes[].allow and routes[].deny, or listeners[].allow and listeners[].deny',
  ),
  ...each(
    ['resolver', 'resolvers', 'dns'],
    'names of endpoints are resolved when connecting; upstreams.NAME.discover.dns: { name, resolvers } follows their addresses, and upstreams.NAME.endpoints[].resolve: all makes each an endpoint',
  ),
  ...each(['lua', 'luaload', 'njs', 'wasm'], 'Fairlead is extended by "plugins" in JavaScript or TypeScript'),
  ...each(
    ['metrics', 'prometheus', 'stats', 'dashboard'],
    'metrics and the dashboard are served at admin.bind (docs/metrics.md)',
  ),
  ...each(['opentelemetry', 'otel', 'otlp', 'zipkin', 'jaeger'], 'traces are sent to tracing.endpoint over OTLP'),
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
  error: 'connect-failure',
  connecterror: 'connect-failure',
  connectfailed: 'connect-failure',
  connfailure: 'connect-failure',
  emptyresponse: 'reset',
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

function below(parent: string, words: readonly string[], advice: string): Record<string, string> {
  return each(
    words.map((word) => `${parent}.${word}`),
    advice,
  );
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Advice for an unknown key that another program has, or undefined. @param parent the key above it */
export function adviceForKey(key: string, parent = ''): string | undefined {
  const space = /[\u00a0\u2000-\u200d\u3000\ufeff]/.exec(key)?.[0];
  if (space !== undefined) {
    const code = space.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return `it has the character U+${code}, which looks like a space or like nothing: replace it by an ordinary space, or remove it`;
  }
  if (/^(?:\/\/|\/\*|;)/.test(key)) return 'a comment begins with #';
  if (/^\w+ *=/.test(key)) return 'a key is followed by a colon and a space, as in workers: 2';
  const word = plain(key);
  const known = [`${plain(parent)}.${word}`, word].find((one) => Object.hasOwn(KEY_ADVICE, one));
  return known === undefined ? undefined : KEY_ADVICE[known];
}

/** The value that another program's word means, if it is one of `words` or a form of `balance`; or undefined. */
export function meantByPeerWord(text: string, words: readonly string[]): string | undefined {
  const word = plain(text);
  if (Object.hasOwn(VALUE_WORDS, word) && words.includes(VALUE_WORDS[word]!)) return VALUE_WORDS[word];
  return Object.hasOwn(VALUE_FORMS, word) && words.includes('consistent-hash') ? VALUE_FORMS[word] : undefined;
}
