// Variables of nginx, HAProxy and Caddy in texts that Fairlead sends literally: header values, redirects, hosts. Thread: main.

const NGINX =
  /\$(?:host|hostname|scheme|uri|document_uri|request_uri|request_method|request_id|args|query_string|is_args|remote_(?:addr|port|user)|server_(?:name|addr|port|protocol)|proxy_add_x_forwarded_for|proxy_host|binary_remote_addr|connection|msec|time_(?:local|iso8601)|(?:http|arg|cookie|sent_http|upstream|ssl|geoip)_\w+)\b/;
const HAPROXY = /%\[[a-z][^\]]*\]|%\{[^}]*\}/;
const CADDY =
  /\{(?:host|hostport|scheme|uri|path|query|method|remote|remote_host|remote_port|client_ip|port|http\.[^}]*|header\.[^}]*|tls_[a-z_]*|env\.[^}]*|labels\.[^}]*)\}/;

/** Values of the same meaning in braces. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  host: 'hostname',
  http_host: 'host',
  hostport: 'host',
  'http.request.host': 'hostname',
  'http.request.hostport': 'host',
  request_uri: 'uri',
  'http.request.uri': 'uri',
  url: 'uri',
  pathq: 'uri',
  document_uri: 'path',
  'http.request.uri.path': 'path',
  args: 'query',
  query_string: 'query',
  'http.request.uri.query': 'query',
  remote_addr: 'clientAddress',
  binary_remote_addr: 'clientAddress',
  remote_host: 'clientAddress',
  client_ip: 'clientAddress',
  'http.request.remote.host': 'clientAddress',
  src: 'clientAddress',
  remote_port: 'clientPort',
  'http.request.remote.port': 'clientPort',
  src_port: 'clientPort',
  'unique-id': 'requestId',
  request_method: 'method',
  'http.request.method': 'method',
  server_port: 'port',
  'http.request.port': 'port',
  dst_port: 'port',
  server_name: 'hostname',
  proxy_host: 'upstream',
  upstream_addr: 'endpoint',
  ssl_protocol: 'tls.version',
  tls_version: 'tls.version',
  'http.request.tls.version': 'tls.version',
  ssl_fc_protocol: 'tls.version',
  ssl_server_name: 'tls.serverName',
  ssl_preread_server_name: 'tls.serverName',
  'http.request.tls.server_name': 'tls.serverName',
  ssl_fc_sni: 'tls.serverName',
  fc_pp_authority: 'proxyProtocol.authority',
  fc_pp_unique_id: 'proxyProtocol.uniqueId',
  scheme: 'scheme',
  'http.request.scheme': 'scheme',
  uri: 'path',
  path: 'path',
  query: 'query',
  method: 'method',
  request_id: 'requestId',
};

const OWN_FORMS: readonly (readonly [RegExp, string])[] = [
  [/^http_(\w+)$/, 'header.'],
  [/^cookie_(\w+)$/, 'cookie.'],
  [/^http\.request\.header\.([\w-]+)$/, 'header.'],
  [/^http\.request\.cookie\.([\w-]+)$/, 'cookie.'],
  [/^(?:req\.)?f?hdr\(([\w-]+)\)$/, 'header.'],
  [/^req\.cook\((\w+)\)$/, 'cookie.'],
];

/** The value in braces that a variable of another program means, such as `{uri}` for `$request_uri`; undefined if none. */
export function ownValueFor(variable: string): string | undefined {
  const name = variable.replace(/^(?:\$|%?\{|%\[)/, '').replace(/[\]}]$/, '');
  const own = Object.hasOwn(OWN_NAMES, name) ? OWN_NAMES[name] : undefined;
  if (own !== undefined) return `{${own}}`;
  for (const [form, prefix] of OWN_FORMS) {
    const argument = form.exec(name)?.[1];
    if (argument === undefined) continue;
    return `{${prefix}${prefix === 'header.' ? argument.replaceAll('_', '-').toLowerCase() : argument}}`;
  }
  return undefined;
}

/** The first variable of nginx or HAProxy in a text, or null. */
export function dollarVariable(text: string): string | null {
  return (NGINX.exec(text) ?? HAPROXY.exec(text))?.[0] ?? null;
}

/** The first variable of another program in a text, or null. A dollar sign or brace of its own is no variable. */
export function foreignVariable(text: string): string | null {
  for (const form of [NGINX, HAPROXY, CADDY]) {
    const match = form.exec(text);
    if (match !== null) return match[0];
  }
  return null;
}
