// Exit codes (docs/design.md 7). Thread: main.

export const EXIT = {
  ok: 0,
  /** The configuration is invalid. */
  invalid: 1,
  /** Wrong usage, or a file that can't be read. */
  usage: 2,
  /** Warnings, under --strict. */
  warnings: 3,
  /** Refused or failed at run time, most often a port in use. */
  failed: 4,
} as const;
