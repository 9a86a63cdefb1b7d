// Field lines of a request as they are sent, cached with what they were made of. Thread: both.

/** Belongs to field lines that don't change while it is in use. */
export class SentLines {
  text = '';
  /** Of the Host line: requests for several hosts may share the other lines. */
  authority = '';
  /** Kinds that were cut. */
  cutKinds = 0;
  /** Lines that were added. */
  added = '';
  /** Keys of the other names that were cut: those that policies remove, and those that inserted fields replace. */
  removed = '';
  replaced = '';
  isMade = false;
}
