// Options that all sources over HTTP share: the server's URL, TLS and an access token. Thread: main.

import path from 'node:path';
import { type OptionProblem, type OptionSchemas, type ParsedOption, quoted } from '../../core/option-schema.ts';
import { formatHostPort } from '../../net/host-port.ts';
import type { SourceFiles } from '../source.ts';

/** A server by its address. */
export interface HttpAddress {
  readonly isTls: boolean;
  /** IPv6 without brackets; 'localhost' for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** '' for TCP. */
  readonly socketPath: string;
  /** Path before that of every request, without a final slash; '' for none. */
  readonly basePath: string;
}

/** TLS to a server. Files are read at each new connection, so that replaced ones take effect. */
export interface HttpTls {
  readonly verify: boolean;
  /** Absolute paths; empty for the system's CAs. */
  readonly ca: readonly string[];
  /** Absolute paths of the client certificate and its key; '' for none. */
  readonly cert: string;
  readonly key: string;
  /** Name in the handshake and in the certificate; '' for the host. */
  readonly serverName: string;
}

/** An access token, as text or in a file; '' for none. */
export interface HttpToken {
  readonly secrets: { readonly token: string };
  /** Absolute path. Read at each use: tokens are rotated. */
  readonly tokenFile: string;
}

/** Parses `http://HOST:PORT/PATH`, `https://...` or `unix:/PATH`. */
export function parseHttpAddress(text: string, defaultPort: number): ParsedOption<HttpAddress> {
  if (text.startsWith('unix:')) return parseSocket(text);
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === null || !isHttp || url.hostname === '' || url.search !== '' || url.hash !== '') {
    const message = `${quoted(text)} is not the address of a server: write http://HOST:PORT, https://HOST:PORT or unix:/PATH`;
    return { ok: false, message };
  }
  if (url.username !== '' || url.password !== '') {
    return { ok: false, message: 'the URL contains credentials, which would be logged: use the options for tokens' };
  }
  const isTls = url.protocol === 'https:';
  const port = url.port === '' ? portOf(text, isTls, defaultPort) : Number(url.port);
  if (port < 1) return { ok: false, message: `${quoted(text)} has port 0: ports are 1 to 65535` };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { ok: true, value: { isTls, host, port, socketPath: '', basePath: url.pathname.replace(/\/+$/, '') } };
}

/** URL drops a port that is the default of its scheme: `http://host:80` has port 80, `http://host` the server's default. */
function portOf(text: string, isTls: boolean, defaultPort: number): number {
  return /^[a-z]+:\/\/[^/]*:\d+(?:\/|$)/i.test(text) ? (isTls ? 443 : 80) : defaultPort;
}

function parseSocket(text: string): ParsedOption<HttpAddress> {
  const socketPath = text.replace(/^unix:(?:\/\/)?/, '');
  if (/^\/[^\0]*$/.test(socketPath)) {
    return { ok: true, value: { isTls: false, host: 'localhost', port: 0, socketPath, basePath: '' } };
  }
  return { ok: false, message: `${quoted(text)} is not the path of a Unix socket: write unix:/run/NAME.sock` };
}

/** The address as operators know it. */
export function describeAddress({ isTls, host, port, socketPath, basePath }: HttpAddress): string {
  return socketPath === ''
    ? `${isTls ? 'https' : 'http'}://${formatHostPort(host, port)}${basePath}`
    : `unix:${socketPath}`;
}

/** The options `tls`, `token` and `tokenFile`. */
export function accessOptions({ z, filePath, host, oneOrMany, text }: OptionSchemas) {
  const tls = z
    .strictObject({
      ca: oneOrMany(filePath('certs/ca.pem'))
        .describe("PEM file or files with the CAs of the server's certificate. If absent, the system's.")
        .optional(),
      cert: filePath('certs/fairlead.pem').describe('PEM file with the certificate that Fairlead presents.').optional(),
      key: filePath('certs/fairlead.key').describe('PEM file with its private key.').optional(),
      serverName: host()
        .describe("Name in the handshake and in the server's certificate. If absent, the host of the address.")
        .optional(),
      verify: z.boolean().default(true).describe("Whether the server's certificate must be valid."),
    })
    .meta({ expects: 'a mapping with ca, or cert and key', example: '{ ca: certs/ca.pem }' });
  return {
    tls: tls.describe('TLS to the server, for https. The files are read again for each connection.').optional(),
    token: text(parseToken, { expects: 'an access token', example: '"${TOKEN}"', isSecret: true })
      .describe('Access token. Write it as an environment variable, or use `tokenFile`.')
      .optional(),
    tokenFile: filePath('/run/secrets/token')
      .describe('File with the access token, read again at each use.')
      .optional(),
  };
}

/** A token goes into a header field: spaces and control characters would end it. */
function parseToken(text: string): ParsedOption<string> {
  if (/^[\x21-\x7e]{1,4096}$/.test(text)) return { ok: true, value: text };
  return { ok: false, message: 'an access token has 1 to 4096 printable characters of ASCII without spaces' };
}

interface AccessOptions {
  readonly tls?:
    | {
        readonly ca?: readonly string[] | undefined;
        readonly cert?: string | undefined;
        readonly key?: string | undefined;
        readonly serverName?: string | undefined;
        readonly verify: boolean;
      }
    | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Contradictions within the access options. @param addresses of the servers that they are for */
export function checkAccess({ tls, token, tokenFile }: AccessOptions, addresses: readonly HttpAddress[]) {
  const problems: OptionProblem[] = [];
  const report = (message: string, ...path: string[]): void => void problems.push({ code: 'FL3008', message, path });
  if (token !== undefined && tokenFile !== undefined) report('"token" and "tokenFile" exclude each other', 'tokenFile');
  if (tls === undefined) return problems;
  if ((tls.cert === undefined) !== (tls.key === undefined)) report('"cert" and "key" belong together', 'tls');
  if (addresses.every(({ isTls }) => !isTls)) report('"tls" has no effect without an https address', 'tls');
  return problems;
}

/** Settings of the access options. @param directory that relative paths refer to */
export function compileAccess({ tls, token = '', tokenFile }: AccessOptions, directory: string) {
  const absolute = (file: string | undefined): string => (file === undefined ? '' : path.resolve(directory, file));
  const httpTls: HttpTls = {
    verify: tls?.verify ?? true,
    ca: (tls?.ca ?? []).map(absolute),
    cert: absolute(tls?.cert),
    key: absolute(tls?.key),
    serverName: tls?.serverName ?? '',
  };
  return { tls: httpTls, token: { secrets: { token }, tokenFile: absolute(tokenFile) } satisfies HttpToken };
}

/** The token to send now, '' for none; or the reason why its file yields none. @param parse checks the text of the file */
export function tokenNow(
  { secrets, tokenFile }: HttpToken,
  files: Pick<SourceFiles, 'readText'>,
  parse = parseToken,
): ParsedOption<string> {
  if (tokenFile === '') return { ok: true, value: secrets.token };
  try {
    const parsed = parse(files.readText(tokenFile).trim());
    return parsed.ok ? parsed : { ok: false, message: `the file ${tokenFile} is malformed: ${parsed.message}` };
  } catch (error) {
    return { ok: false, message: `the file ${tokenFile} ${(error as Error).message}` };
  }
}
