// Schema of `listeners[].tls.acme` and `tls.internal`: certificates that are issued and renewed automatically. Thread: main.

import { isIP } from 'node:net';
import { z } from 'zod';
import { formatHostPort, splitHostPort } from '../../net/host-port.ts';
import { isHostName } from '../../net/host-name.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { count, duration, filePath, parsedText } from './schema-values.ts';

/** Directories of CAs that have a name. */
const KNOWN_DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
};

const directory = parsedText(parseDirectory, {
  expects: 'letsencrypt, letsencrypt-staging or an https URL',
  example: 'letsencrypt',
});

const email = parsedText(
  (text): Parsed<string> =>
    /^[\x21-\x7e]+@[^@\s]+$/.test(text) && !text.includes(',') && !text.includes('?')
      ? { ok: true, value: text }
      : { ok: false, message: `${quoted(text)} is not an email address: write ops@example.com` },
  { expects: 'an email address', example: 'ops@example.com' },
);

const domain = parsedText(
  (text): Parsed<string> => {
    const name = text.toLowerCase();
    if (isHostName(name.replace(/^\*\./, ''))) return { ok: true, value: name };
    return { ok: false, message: `${quoted(text)} is not a domain: write example.com or *.example.com` };
  },
  { expects: 'a domain', example: 'example.com' },
);

const domains = z
  .union([z.literal('from-routes'), z.array(domain).min(1)])
  .meta({ expects: 'from-routes, or a list of domains', example: '[example.com, www.example.com]' });

const dnsChallenge = z
  .strictObject({
    type: z.literal('dns-01').describe('The only challenge that has options.'),
    command: z
      .array(z.string().min(1))
      .min(1)
      .meta({ expects: 'a list of a program and its arguments', example: '[/etc/fairlead/dns-record]' })
      .describe(
        'Program that changes DNS, run without a shell as `COMMAND present NAME VALUE`, and `COMMAND withdraw NAME VALUE` afterwards, for a TXT record.',
      ),
    wait: duration().default(20_000).describe('Time until a new record is visible on all name servers.'),
  })
  .meta({ expects: 'a mapping with type: dns-01 and command', example: '{ type: dns-01, command: [dns-record] }' });

const macKey = parsedText(
  (text): Parsed<string> =>
    /^[\w-]{16,}={0,2}$/.test(text)
      ? { ok: true, value: text }
      : { ok: false, message: 'the key of an external account is base64url text of at least 16 characters' },
  { expects: 'base64url text', example: '"${EAB_KEY}"', isSecret: true },
);

const resolver = parsedText(
  (text): Parsed<string> => {
    const { host, port } = splitHostPort(text) ?? { host: text, port: null };
    const isPort = port === null || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
    if (isIP(host) !== 0 && isPort)
      return { ok: true, value: port === null ? host : formatHostPort(host, Number(port)) };
    return {
      ok: false,
      message: `${quoted(text)} is not the address of a DNS server: write 9.9.9.9 or [2620:fe::fe]:53`,
    };
  },
  { expects: 'the address of a DNS server', example: '9.9.9.9' },
);

const preflightOptions = z.strictObject({
  resolvers: z
    .array(resolver)
    .default([])
    .meta({ expects: 'a list of addresses of DNS servers', example: '[9.9.9.9]' })
    .describe(
      'DNS servers that see the name as the CA does, for networks whose own DNS gives other answers; those of the system if absent.',
    ),
  httpPort: count(1, 65_535)
    .default(80)
    .describe('Port that the CA connects to for `http-01`. Public CAs use 80, whatever port the listener has.'),
  tlsPort: count(1, 65_535)
    .default(443)
    .describe('Port that the CA connects to for `tls-alpn-01`; 443 for public CAs.'),
});

const preflight = z
  .union([z.boolean().transform((isOn) => (isOn ? preflightOptions.parse({}) : false)), preflightOptions])
  .prefault(true)
  .meta({ expects: 'true, false, or a mapping with resolvers, httpPort and tlsPort', example: 'false' })
  .describe(
    'Whether it is proven before each order that the CA can validate the name: that it resolves, and that this installation answers a probe at its addresses. Without that proof no order is spent. `false` where only this network cannot reach its own public address.',
  );

const askUrl = parsedText(
  (text): Parsed<string> => {
    const url = URL.parse(text);
    if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.hash === '')
      return { ok: true, value: url.href };
    return { ok: false, message: `${quoted(text)} is not an http or https URL: write http://127.0.0.1:3000/may-issue` };
  },
  { expects: 'an http or https URL', example: 'http://127.0.0.1:3000/may-issue' },
);

const onDemand = z
  .strictObject({
    ask: askUrl.describe(
      'URL that decides which names get a certificate: it is requested with `?domain=NAME`, and status 200 permits the name.',
    ),
    names: count(1, 10_000).default(1_000).describe('Most names at one time.'),
    ordersPerHour: count(1, 10_000).default(60).describe('Most orders for new names in any hour.'),
    wait: duration().default(20_000).describe('Longest time for which a handshake waits for a certificate.'),
  })
  .meta({ expects: 'a mapping with ask', example: '{ ask: "http://127.0.0.1:3000/may-issue" }' })
  .describe(
    'Issues certificates for other server names when clients request them, for names that `ask` permits. Names that it refuses get the alert unrecognized_name.',
  );

const acmeOptions = z.strictObject({
  email: email
    .describe('Address that the CA may write to, for example before a certificate expires. Recommended.')
    .optional(),
  directory: directory
    .default(KNOWN_DIRECTORIES['letsencrypt']!)
    .describe(
      'Certificate authority: `letsencrypt`, `letsencrypt-staging` for trials, or the URL of an ACME directory.',
    ),
  ca: filePath('certs/private-ca.pem')
    .describe("PEM file with certificates that are trusted for the directory's own TLS, besides the public CAs.")
    .optional(),
  domains: domains
    .default('from-routes')
    .describe(
      'Names for which certificates are issued, each with one of its own. `from-routes`: the exact hosts of the routes that this listener serves.',
    ),
  challenge: z
    .union([z.enum(['http-01', 'tls-alpn-01']), dnsChallenge])
    .meta({ expects: 'http-01, tls-alpn-01, or a mapping with type: dns-01 and command', example: 'http-01' })
    .describe(
      'How the CA validates a name: `http-01` by a request to port 80, `tls-alpn-01` by a TLS connection to port 443, `{ type: dns-01, command: [...] }` by TXT records that a command adds, which wildcards need. Default: `http-01` if a listener without TLS exists, otherwise `tls-alpn-01`.',
    )
    .optional(),
  externalAccount: z
    .strictObject({
      keyId: z.string().min(1).meta({ expects: 'text', example: 'kid-1' }).describe('Key ID that the CA has given.'),
      macKey: macKey.describe('Key that the CA has given, in base64url.'),
    })
    .meta({ expects: 'a mapping with keyId and macKey', example: '{ keyId: kid-1, macKey: "${EAB_KEY}" }' })
    .describe('Account at the CA to which the ACME account is bound, where the CA requires one (EAB).')
    .optional(),
  storage: filePath('/var/lib/fairlead/acme')
    .default('acme')
    .describe(
      'Directory of accounts, certificates and challenges, created if absent. Several processes may share it: one of them orders a certificate, all use it, and each answers challenges.',
    ),
  keyType: z
    .enum(['ecdsa', 'rsa'])
    .default('ecdsa')
    .describe('Key of certificates: ECDSA P-256, or RSA with 2048 bits.'),
  preflight,
  onDemand: onDemand.optional(),
});

export const acme = z
  .union([z.literal(true).transform(() => acmeOptions.parse({})), acmeOptions])
  .meta({
    expects: 'true, or a mapping with email, directory, domains, challenge and storage',
    example: '{ email: ops@example.com }',
  })
  .describe(
    'Issues and renews certificates automatically (ACME, docs/certificates.md). Using it accepts the terms of service of the CA.',
  );

const internalOptions = z.strictObject({
  domains: domains
    .default('from-routes')
    .describe(
      'Names besides `localhost`, 127.0.0.1 and ::1. `from-routes`: the exact hosts of the routes that `acme` does not take.',
    ),
  storage: filePath('/var/lib/fairlead/internal-ca')
    .default('internal-ca')
    .describe('Directory of the root and its key, created if absent.'),
});

export const internal = z
  .union([z.literal(true).transform(() => internalOptions.parse({})), internalOptions])
  .meta({ expects: 'true, or a mapping with domains and storage', example: 'true' })
  .describe(
    'A certificate for `localhost` and internal names from a CA of this installation, whose root clients must trust (`fairlead trust`).',
  );

export type InternalConfig = z.output<typeof internal>;

export type AcmeConfig = z.output<typeof acme>;

function parseDirectory(text: string): Parsed<string> {
  const known = KNOWN_DIRECTORIES[text];
  if (known !== undefined) return { ok: true, value: known };
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return { ok: true, value: url.href };
  const names = Object.keys(KNOWN_DIRECTORIES).join(', ');
  return { ok: false, message: `${quoted(text)} is not an ACME directory: write ${names} or an https URL` };
}
