// Demo load: RATE requests a second to TARGET, and a line with their statuses every ten seconds. Thread: main.

const { TARGET = 'http://127.0.0.1:8080', RATE = '20', REPORT_MS = '10000' } = process.env;
const PATHS = ['/', '/products', '/products/42', '/cart', '/checkout'];
const counts = new Map();

async function send() {
  const path = PATHS[Math.floor(Math.random() * PATHS.length)];
  const outcome = await fetch(new URL(path, TARGET)).then(
    async (response) => {
      await response.arrayBuffer();
      return String(response.status);
    },
    () => 'no response',
  );
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
}

setInterval(() => void send(), 1000 / Number(RATE));
setInterval(() => {
  if (counts.size === 0) return;
  console.log([...counts].map(([outcome, count]) => `${outcome}: ${count}`).join(', '));
  counts.clear();
}, Number(REPORT_MS));
process.on('SIGTERM', () => process.exit(0));
