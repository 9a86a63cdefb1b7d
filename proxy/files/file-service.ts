// The files of all routes of a worker. Thread: worker.

import type { FilesSnapshot } from '../../core/snapshot/route.ts';
import { FileFinder } from './file-finder.ts';
import { OpenFiles } from './open-file.ts';

/** Open files of one worker. Slow clients hold them: further requests are refused, and descriptors stay for connections. */
const MOST_OPEN = 1024;

/** The files of all routes of a worker. */
export class FileService {
  readonly #open = new OpenFiles(MOST_OPEN);
  readonly #finders = new WeakMap<FilesSnapshot, FileFinder>();

  finderOf(files: FilesSnapshot): FileFinder {
    let finder = this.#finders.get(files);
    if (finder === undefined) this.#finders.set(files, (finder = new FileFinder(this.#open, files)));
    return finder;
  }
}
