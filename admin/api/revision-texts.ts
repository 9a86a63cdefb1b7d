// Texts of the configuration's newest revisions, without secrets, so that they can be compared. Bounded: 20 revisions of at
// most 256 Ki characters, 10 MB in all. Thread: main.

import { yamlOf } from '../../config/yaml/printed-config.ts';
import type { TimerHandle } from '../../core/timers.ts';
import type { AdminContext } from '../admin-context.ts';

const MOST_REVISIONS = 20;
const MOST_CHARACTERS = 256 * 1024;
/** Longer files are not printed: their text would be too long without comments too. */
const LONGEST_FILES = 2 * MOST_CHARACTERS;
/** Delay of the first text, which a start doesn't wait for. */
const FIRST_MS = 1_000;

export interface RevisionText {
  readonly revision: number;
  /** Wall-clock ms at which it was taken over. */
  readonly at: number;
  readonly changes: readonly string[];
  readonly file: string | null;
  /** YAML; null where the revision has no file, or its text is too long to keep. */
  readonly text: string | null;
}

type TextContext = Pick<AdminContext, 'clock' | 'timers' | 'snapshot' | 'writtenConfig' | 'startedAt'>;

/** Records from `start` to `stop`. */
export class RevisionTexts {
  readonly #context: TextContext;
  readonly #kept: RevisionText[] = [];
  #timer: TimerHandle | null = null;

  constructor(context: TextContext) {
    this.#context = context;
  }

  start(): void {
    this.#timer = this.#context.timers.after(FIRST_MS, () => {
      if (this.#kept.length === 0) this.#add(this.#context.startedAt, []);
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Records the running revision after a reload. */
  noteReload(changes: readonly string[]): void {
    this.#add(this.#context.clock.wallMs(), changes);
  }

  /** Newest first. */
  list(): readonly RevisionText[] {
    return this.#kept.toReversed();
  }

  #add(at: number, changes: readonly string[]): void {
    const written = this.#context.writtenConfig();
    // Printing a long configuration takes about as long as parsing it.
    const isShort = written !== null && written.characters <= LONGEST_FILES;
    const text = isShort ? yamlOf(written.config()) : null;
    this.#kept.push({
      revision: this.#context.snapshot().revision,
      at,
      changes,
      file: written?.file ?? null,
      text: text !== null && text.length <= MOST_CHARACTERS ? text : null,
    });
    if (this.#kept.length > MOST_REVISIONS) this.#kept.shift();
  }
}
