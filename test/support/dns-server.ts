// A DNS server for tests, in the test's own process: scripted answers over UDP and TCP of one port. Thread: main.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TestContext } from 'node:test';

/** A record in the notation of a zone file, without the class: `api.test 30 A 10.0.0.1`. */
export type ZoneLine = string;

export interface ScriptedAnswer {
  readonly code?: number;
  readonly isTruncated?: boolean;
  readonly answers?: readonly ZoneLine[];
  readonly authority?: readonly ZoneLine[];
  readonly additional?: readonly ZoneLine[];
}

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28, SRV: 33 };
const NAMES = new Map(Object.entries(TYPES).map(([name, number]) => [number, name]));

function nameBytes(name: string): number[] {
  const labels = name === '.' || name === '' ? [] : name.split('.');
  return [...labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0];
}

const word = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const long = (value: number): number[] => [...word(Math.floor(value / 0x1_0000)), ...word(value % 0x1_0000)];

function addressBytes(address: string): number[] {
  if (!address.includes(':')) return address.split('.').map(Number);
  const [head = '', tail = ''] = address.split('::');
  const groupsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...zeros, ...last].flatMap((group) => word(Number.parseInt(group, 16)));
}

function dataBytes(type: string, values: readonly string[]): number[] {
  if (type === 'A' || type === 'AAAA') return addressBytes(values[0]!);
  if (type === 'CNAME') return nameBytes(values[0]!);
  if (type === 'SRV') return [...values.slice(0, 3).flatMap((value) => word(Number(value))), ...nameBytes(values[3]!)];
  if (type === 'SOA')
    return [...nameBytes('ns'), ...nameBytes('root'), ...values.flatMap((value) => long(Number(value)))];
  return [values[0]!.length, ...Buffer.from(values[0]!)];
}

function recordBytes(line: ZoneLine): number[] {
  const [name = '', ttl = '0', type = 'A', ...values] = line.split(' ');
  const data = dataBytes(type, values);
  return [...nameBytes(name), ...word(TYPES[type]!), ...word(1), ...long(Number(ttl)), ...word(data.length), ...data];
}

/** The bytes of a response to a question. */
export function responseBytes(id: number, name: string, type: string, scripted: ScriptedAnswer): Uint8Array {
  const { code = 0, isTruncated = false, answers = [], authority = [], additional = [] } = scripted;
  const flags = 0x8180 | code | (isTruncated ? 0x0200 : 0);
  const counts = [id, flags, 1, answers.length, authority.length, additional.length].flatMap(word);
  const question = [...nameBytes(name), ...word(TYPES[type]!), ...word(1)];
  return Uint8Array.from([...counts, ...question, ...[...answers, ...authority, ...additional].flatMap(recordBytes)]);
}

function questionOf(query: Uint8Array): { id: number; name: string; type: string } {
  const view = Buffer.from(query);
  const labels: string[] = [];
  let at = 12;
  while (view[at] !== 0) {
    labels.push(view.toString('latin1', at + 1, at + 1 + view[at]!));
    at += view[at]! + 1;
  }
  return { id: view.readUInt16BE(0), name: labels.join('.'), type: NAMES.get(view.readUInt16BE(at + 1)) ?? '' };
}

export interface DnsServerOfTest {
  readonly port: number;
  /** Answers by `NAME TYPE`; `silence` sends none. Others don't exist. */
  readonly zone: Map<string, ScriptedAnswer | 'silence'>;
  /** Questions as `NAME TYPE`, with `tcp ` in front where they came over TCP. */
  readonly asked: string[];
  /** Datagrams sent before the answer. */
  forge: ((id: number, name: string, type: string) => readonly Uint8Array[]) | null;
}

/** Starts a server on loopback; it stops after the test. */
export async function startDnsServer(t: TestContext): Promise<DnsServerOfTest> {
  const zone: DnsServerOfTest['zone'] = new Map();
  const asked: string[] = [];
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const { id, name, type } = questionOf(chunk.subarray(2));
      asked.push(`tcp ${name} ${type}`);
      const scripted = zone.get(`${name} ${type}`) ?? { code: 3 };
      if (scripted === 'silence') {
        socket.end();
        return;
      }
      const bytes = responseBytes(id, name, type, { ...scripted, isTruncated: false });
      socket.write(Uint8Array.from([...word(bytes.length), ...bytes]));
    });
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket('udp4');
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');
  const server: DnsServerOfTest = { port, zone, asked, forge: null };
  udp.on('message', (query, sender) => {
    const { id, name, type } = questionOf(query);
    asked.push(`${name} ${type}`);
    for (const bytes of server.forge?.(id, name, type) ?? []) udp.send(bytes, sender.port, sender.address);
    const scripted = zone.get(`${name} ${type}`) ?? { code: 3 };
    if (scripted === 'silence') return;
    const bytes = responseBytes(id, name, type, scripted.isTruncated ? { isTruncated: true } : scripted);
    udp.send(bytes, sender.port, sender.address);
  });
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return server;
}
