// Words of the shared layout that only a whole process writes. Thread: both.

/** `RECORD.word`. */
export const PROCESS_WORDS: readonly string[] = [
  'HEADER.descriptorShortages',
  'WORKER.acknowledged',
  'WORKER.membership',
  'WORKER.liveness',
  'WORKER.upgraded',
  'WORKER.heapUsed',
  'WORKER.accessLinesLost',
];
