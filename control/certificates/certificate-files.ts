// Certificates that change on disk: a pair that is valid replaces the one in use, in the Snapshot; another one is refused,
// and the old one stays in use. Thread: main.

import { FileWatch } from '../../config/files/file-watch.ts';
import { certificateNames, reasonAgainstReplacing } from '../../config/files/certificate.ts';
import { readRegularFile } from '../../config/files/referenced-files.ts';
import type { Logger } from '../../core/log.ts';
import type { CertificateSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { Timers } from '../../core/timers.ts';
import type { SnapshotConsumer, SnapshotGate } from '../snapshot-owner.ts';
import type { CertificateInventory } from './inventory.ts';

interface CertificateFilesParts {
  readonly timers: Timers;
  /** Wall-clock ms. */
  readonly wallMs: () => number;
  readonly log: Logger;
  readonly inventory: CertificateInventory;
  /** Publishes the Snapshot again. @throws why it can't be published */
  readonly publish: () => Promise<void>;
}

type Pairs = ReadonlyMap<string, CertificateSnapshot>;

/** A pair that was read after the configuration, which had loaded `loaded` from the same files. */
interface Replacement {
  readonly loaded: CertificateSnapshot;
  readonly pair: CertificateSnapshot;
}

export class CertificateFiles implements SnapshotGate, SnapshotConsumer {
  readonly #parts: CertificateFilesParts;
  readonly #watch: FileWatch;
  /** By `keyOf`. */
  #replacements = new Map<string, Replacement>();
  /** As the configuration loaded them: of the Snapshot that is being prepared, and of the one that runs. */
  #preparing: Pairs = new Map();
  #loaded: Pairs = new Map();
  #inUse: Pairs = new Map();

  constructor(parts: CertificateFilesParts) {
    this.#parts = parts;
    this.#watch = new FileWatch({
      timers: parts.timers,
      nowMs: () => performance.now(),
      isMissingAChange: true,
      onChange: () => this.#compare(),
    });
  }

  prepare(next: Snapshot): Promise<Snapshot> {
    this.#preparing = pairsOf(next);
    return Promise.resolve(withCertificates(next, (loaded) => this.#newest(loaded)));
  }

  apply(snapshot: Snapshot): void {
    this.#loaded = this.#preparing;
    this.#inUse = pairsOf(snapshot);
    for (const [key, { loaded }] of this.#replacements) {
      if (!isSamePair(this.#loaded.get(key), loaded)) this.#replacements.delete(key);
    }
    const files = [...this.#inUse.values()].flatMap(({ files }) => [files!.cert, files!.key]);
    this.#watch.watch(null, files);
  }

  stop(): void {
    this.#watch.stop();
  }

  /** The pair to use for one that the configuration loaded. */
  #newest(loaded: CertificateSnapshot): CertificateSnapshot {
    const replacement = this.#replacements.get(keyOf(loaded));
    return replacement !== undefined && isSamePair(replacement.loaded, loaded) ? replacement.pair : loaded;
  }

  /** Some file has changed. Pairs are read as a whole, because a certificate and its key change one after the other. */
  async #compare(): Promise<void> {
    const before = this.#replacements;
    const changed = [...this.#inUse.values()].flatMap((inUse) => this.#read(inUse) ?? []);
    if (changed.length === 0) return;
    const { log, inventory, publish } = this.#parts;
    this.#replacements = new Map(before);
    for (const pair of changed) {
      this.#replacements.set(keyOf(pair), { loaded: this.#loaded.get(keyOf(pair))!, pair });
    }
    try {
      await publish();
    } catch (error) {
      this.#replacements = before;
      log.error({ err: error }, `certificates not replaced: ${(error as Error).message}`);
      return;
    }
    for (const { files, names } of changed) {
      inventory.noteInstalled(files!.cert);
      log.info({ certificate: files!.cert, names }, `certificate ${files!.cert} replaced by its new content`);
    }
  }

  /** The new content of a pair's files; null where it is the one in use, or can't be used. */
  #read({ files, cert, key }: CertificateSnapshot): CertificateSnapshot | null {
    const { inventory, wallMs } = this.#parts;
    const outcomes = { cert: readRegularFile(files!.cert), key: readRegularFile(files!.key) };
    for (const part of ['cert', 'key'] as const) {
      const outcome = outcomes[part];
      if (!outcome.ok) return this.#refuse(files!.cert, `${files![part]} ${outcome.reason}`);
    }
    const [newCert, newKey] = [outcomes.cert, outcomes.key].map((outcome) => (outcome.ok ? outcome.text : ''));
    if (newCert === cert && newKey === key) {
      inventory.noteCurrent(files!.cert);
      return null;
    }
    const fault = reasonAgainstReplacing(newCert!, newKey!, wallMs());
    if (fault !== null) return this.#refuse(files!.cert, `${files![fault.part]} ${fault.message}`);
    return { cert: newCert!, key: newKey!, names: certificateNames(newCert!), files };
  }

  #refuse(file: string, reason: string): null {
    const { log, inventory } = this.#parts;
    if (inventory.noteRefused(file, reason)) {
      log.error({ certificate: file, reason }, `certificate ${file} not replaced: ${reason}; the old one stays in use`);
    }
    return null;
  }
}

/** Pairs that have files. */
function pairsOf({ listeners }: Snapshot): Pairs {
  const pairs = listeners.flatMap(({ tls }) => tls?.certificates ?? []).filter(({ files }) => files !== null);
  return new Map(pairs.map((pair) => [keyOf(pair), pair]));
}

function keyOf({ files }: CertificateSnapshot): string {
  return `${files?.cert}\n${files?.key}`;
}

function isSamePair(one: CertificateSnapshot | undefined, other: CertificateSnapshot): boolean {
  return one?.cert === other.cert && one.key === other.key;
}

function withCertificates(snapshot: Snapshot, newest: (loaded: CertificateSnapshot) => CertificateSnapshot): Snapshot {
  const listeners = snapshot.listeners.map((listener) => {
    if (listener.tls === null) return listener;
    const certificates = listener.tls.certificates.map((one) => (one.files === null ? one : newest(one)));
    return Object.freeze({ ...listener, tls: Object.freeze({ ...listener.tls, certificates }) });
  });
  return Object.freeze({ ...snapshot, listeners });
}
