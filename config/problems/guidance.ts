// What somebody needs who meets the code of a problem: what it means, what it looks like, what to do. Thread: main.

export interface Guidance {
  /** What it means and why it matters, in one or two sentences. */
  readonly meaning: string;
  /** What to do, in one or two sentences. */
  readonly fix: string;
  /** Top-level keys that get this code; what else a configuration needs is as in the README. */
  readonly wrong?: string;
  /** The same as it should be. */
  readonly right?: string;
  /** What it looks like where no text of a configuration can show it: commands. */
  readonly shell?: string;
}
