// The output while it runs.

/** In a log, where lines cannot be written over, one in so many milliseconds. */
const between = 10_000;

let lastShown = performance.now();

/** A line. */
export function say(text) {
  console.log(`· ${text}`);
}

/** How far a part is. On a terminal the line is written over. */
export function showProgress(name, text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K  ${name}: ${text}`);
  else if (performance.now() - lastShown > between) {
    lastShown = performance.now();
    console.log(`  ${name}: ${text}`);
  }
}

/** Takes the line away. */
export function closeProgress() {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
}
