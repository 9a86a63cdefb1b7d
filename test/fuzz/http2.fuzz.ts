// Fuzzes the HTTP/2 codec beside nghttp2: node test/fuzz/http2.fuzz.ts [seconds] [seed]. Stops at the first input that
// breaks an invariant and prints it; put it into corpus/http2 with the fix.

import { seededRandom } from '../../core/random.ts';
import { makeInput, readCorpus } from './http2-input.ts';
import { checkInput } from './http2-target.ts';

const seconds = Number(process.argv[2] ?? 600);
const firstSeed = Number(process.argv[3] ?? 1);
const MIB = 2 ** 20;
const corpus = [...readCorpus().values()];
const endMs = performance.now() + seconds * 1000;

let seed = firstSeed;
for (; performance.now() < endMs; seed += 1) {
  const random = seededRandom(seed);
  const input = makeInput(random, corpus);
  try {
    await checkInput(input, random);
  } catch (error) {
    console.error(`seed ${seed}: ${input.toString('hex')}`);
    throw error;
  }
}
const residentMib = (process.memoryUsage().rss / MIB).toFixed(0);
console.log(`${seed - firstSeed} inputs from seed ${firstSeed}: nothing found; ${residentMib} MiB resident`);
