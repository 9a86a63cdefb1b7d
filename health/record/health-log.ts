// The log that health is given: what it needs of pino, as a contract. Thread: main.

/** Each call is one line. `fields` are for machines, `text` for people. */
export interface HealthLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
