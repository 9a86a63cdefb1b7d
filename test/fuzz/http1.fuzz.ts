// Fuzzes the HTTP/1.1 codec: node test/fuzz/http1.fuzz.ts [iterations] [seed]. Stops at the first input that breaks an
// invariant and prints it; put it into corpus/http1 with the fix.

import { seededRandom } from '../../core/random.ts';
import { checkInput, makeInput, readCorpus } from './http1-target.ts';

const iterations = Number(process.argv[2] ?? 100_000);
const firstSeed = Number(process.argv[3] ?? 1);
const corpus = [...readCorpus().values()];

for (let seed = firstSeed; seed < firstSeed + iterations; seed += 1) {
  const random = seededRandom(seed);
  const input = makeInput(random, corpus);
  try {
    checkInput(input, random);
  } catch (error) {
    console.error(`seed ${seed}: ${JSON.stringify(input)}`);
    throw error;
  }
}
console.log(`${iterations} inputs from seed ${firstSeed}: nothing found`);
