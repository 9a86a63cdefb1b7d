// PROXY protocol headers of connections to endpoints: they name the client whose requests the connection carries.
// Thread: worker.

import type { ClientConnection, RequestOrigin } from '../../core/exchange-contract.ts';
import type { ProxyTlv, UpstreamSettings } from '../../core/snapshot/upstream.ts';
import { encodeProxyV1, encodeProxyV2, type ProxyHeaderV2 } from '../../net/proxy-protocol/encode.ts';
import type { ProxiedAddresses, ProxiedTls } from '../../net/proxy-protocol/header.ts';

export class ProxyPreface {
  readonly #version: 1 | 2;
  readonly #tlvs: ReadonlySet<ProxyTlv>;
  readonly #alpn: string;

  /** @param alpn protocol of the requests on the connection; '' where ALPN decides it after the header */
  constructor({ version, tlvs }: NonNullable<UpstreamSettings['proxyProtocol']>, alpn: string) {
    this.#version = version;
    this.#tlvs = new Set(tlvs);
    this.#alpn = alpn;
  }

  /** Only requests with the same key may share a connection: its header is true for all of them. */
  keyOf(origin: RequestOrigin): string {
    return this.#encode(origin, '').toString('latin1');
  }

  /** The header of a connection. Its unique id is the id of its first request. */
  headerFor(origin: RequestOrigin): Buffer {
    return this.#encode(origin, this.#tlvs.has('uniqueId') ? origin.requestId : '');
  }

  #encode(origin: RequestOrigin, uniqueId: string): Buffer {
    const addresses = addressesOf(origin);
    if (this.#version === 1) return encodeProxyV1(addresses);
    const { connection } = origin;
    const header: ProxyHeaderV2 = {
      isLocal: false,
      addresses,
      alpn: this.#tlvs.has('alpn') ? this.#alpn : '',
      authority: this.#tlvs.has('authority') ? connection.serverName : '',
      uniqueId,
      tls: connection.isTls && this.#tlvs.has('tls') ? tlsOf(connection) : null,
      hasChecksum: this.#tlvs.has('checksum'),
    };
    return encodeProxyV2(header);
  }
}

/** Null for an upstream without PROXY protocol. */
export function prefaceOf({ proxyProtocol }: UpstreamSettings, alpn: string): ProxyPreface | null {
  return proxyProtocol === null ? null : new ProxyPreface(proxyProtocol, alpn);
}

/** Whether the client is the peer of its connection, which then carries the requests of no other client. */
export function isDirect({ connection, clientAddress }: RequestOrigin): boolean {
  return clientAddress !== '' && clientAddress === connection.peerAddress;
}

/** The port of a client behind a trusted proxy isn't known. */
function addressesOf(origin: RequestOrigin): ProxiedAddresses | null {
  const { connection, clientAddress } = origin;
  if (clientAddress === '') return null;
  return {
    kind: 'ip',
    source: clientAddress,
    sourcePort: isDirect(origin) ? connection.peerPort : 0,
    destination: connection.localAddress,
    destinationPort: connection.localPort,
  };
}

function tlsOf({ tlsVersion: version, certificate }: ClientConnection): ProxiedTls {
  const hasCertificate = certificate !== null && certificate !== undefined;
  const commonName = hasCertificate ? commonNameOf(certificate.subject) : '';
  // Only verified certificates are accepted.
  return { isTls: true, version, cipher: '', commonName, hasCertificate, isVerified: hasCertificate };
}

/** The common name in a subject such as `CN=app,O=Example`; '' where there is none. */
function commonNameOf(subject: string): string {
  // From the start, attribute by attribute: a value may contain `,CN=`, with a backslash before the comma.
  for (const [, name, value] of subject.matchAll(/(?:^|,)([^=,]*)=((?:\\.|[^,\\])*)/g)) {
    if (name === 'CN') return value!.replaceAll(/\\(.)/g, '$1');
  }
  return '';
}
