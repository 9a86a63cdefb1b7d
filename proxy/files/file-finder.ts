// Finds the file that answers a request: the named one, an index of a directory, or the fallback of a single-page
// application; in a precompressed variant where the client accepts one. Thread: worker.

import type { FilesSnapshot } from '../../core/snapshot/route.ts';
import { acceptedCodings, type Coding } from '../policies/accept-encoding.ts';
import { filePathOf } from './file-path.ts';
import { type FileRefusal, FileRoot, type OpenFile, type OpenFiles } from './open-file.ts';

/** A file to send. */
export interface FoundFile {
  readonly file: OpenFile;
  /** Below the root, without the extension of a variant. */
  readonly name: string;
  /** Coding of the variant; null for the file itself. */
  readonly coding: Coding | null;
}

const EXTENSIONS: Readonly<Record<Coding, string>> = { zstd: '.zst', br: '.br', gzip: '.gz' };

export class FileFinder {
  readonly #open: OpenFiles;
  readonly #files: FilesSnapshot;
  readonly #root: FileRoot;

  constructor(open: OpenFiles, files: FilesSnapshot) {
    this.#open = open;
    this.#files = files;
    this.#root = new FileRoot(files.root);
  }

  /** @param target of the request. @param accepted value of Accept-Encoding */
  async find(target: string, accepted: string | undefined): Promise<FoundFile | FileRefusal> {
    const path = filePathOf(target, this.#files.dotFiles);
    if (path === null) return 'missing';
    const codings = acceptedCodings(accepted, this.#files.precompressed);
    const name = path.segments.join('/');
    const names = path.isDirectory
      ? this.#files.index.map((index) => (name === '' ? index : `${name}/${index}`))
      : [name];
    for (const candidate of names) {
      const found = await this.#variantOf(candidate, codings);
      if (found === 'missing' || (found === 'directory' && path.isDirectory)) continue;
      return found;
    }
    const { spaFallback } = this.#files;
    // The views of an application have no extension; a missing script must not be answered with a page.
    const isView = path.isDirectory || path.segments.at(-1)?.includes('.') !== true;
    return spaFallback !== '' && isView ? this.#variantOf(spaFallback, codings) : 'missing';
  }

  async #variantOf(name: string, codings: readonly Coding[]): Promise<FoundFile | FileRefusal> {
    for (const coding of codings) {
      const file = await this.#open.open(this.#root, `${name}${EXTENSIONS[coding]}`);
      if (typeof file !== 'string') return { file, name, coding };
      if (file === 'busy') return file;
    }
    const file = await this.#open.open(this.#root, name);
    return typeof file === 'string' ? file : { file, name, coding: null };
  }
}
