// Variables of nginx, HAProxy and Caddy in texts that Fairlead sends literally: header values, redirects, hosts. Thread: main.

const NGINX =
  /\$(?:host|hostname|scheme|uri|document_uri|request_uri|request_method|request_id|args|query_string|is_args|remote_(?:addr|port|user)|server_(?:name|addr|port|protocol)|proxy_add_x_forwarded_for|proxy_host|binary_remote_addr|connection|msec|time_(?:local|iso8601)|(?:http|arg|cookie|sent_http|upstream|ssl|geoip)_\w+)\b/;
const HAPROXY = /%\[[a-z][^\]]*\]|%\{[^}]*\}/;
const CADDY =
  /\{(?:host|hostport|scheme|uri|path|query|method|remote|remote_host|remote_port|client_ip|port|http\.[^}]*|header\.[^}]*|tls_[a-z_]*|env\.[^}]*|labels\.[^}]*)\}/;

/** The first variable of another program in a text, or null. A dollar sign or brace of its own is no variable. */
export function foreignVariable(text: string): string | null {
  for (const form of [NGINX, HAPROXY, CADDY]) {
    const match = form.exec(text);
    if (match !== null) return match[0];
  }
  return null;
}
